/// What a record is about.
///
/// The numbers are in files: none of them ever means something else.
package enum RecordKind: UInt8, Sendable, CaseIterable {
    case queue = 1
    case queueMessage = 2
    case bus = 3
    case busPolicy = 4
    case connection = 5
    case apiDestination = 6
    case eventRule = 7
    case topicRule = 8
    case delivery = 9
    case deadLetter = 10
    case archive = 11
    case archivedEvent = 12
    case replay = 13
    case thing = 14
    case certificate = 15
    case policy = 16
    case thingGroup = 17
    case thingType = 18
}

/// What a record is found by.
package struct RecordKey: Hashable, Sendable {
    package let kind: RecordKind
    package let bytes: [UInt8]

    package init(_ kind: RecordKind, bytes: [UInt8]) {
        self.kind = kind
        self.bytes = bytes
    }

    /// Numbers, so that the order of the keys is theirs.
    package init(_ kind: RecordKind, _ numbers: UInt64...) {
        self.kind = kind
        bytes = numbers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - $0 * 8)) } }
    }

    /// Texts; none of them has a NUL in it.
    package init(_ kind: RecordKind, _ texts: String...) {
        self.kind = kind
        bytes = Array(texts.map { Array($0.utf8) }.joined(separator: [0]))
    }

    /// The number at a place, where the key has one there.
    package func number(at place: Int) -> UInt64? {
        guard place >= 0, bytes.count >= (place + 1) * 8 else { return nil }
        return bytes[(place * 8)..<(place * 8 + 8)].reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Something that outlives the process.
package struct KeptRecord: Sendable, Equatable {
    package let key: RecordKey
    /// As a ``RecordWriter`` wrote them.
    package let fields: [UInt8]

    package init(_ key: RecordKey, _ fields: [UInt8]) {
        self.key = key
        self.fields = fields
    }
}

/// One step in what is kept; doing it twice is the same as doing it once.
package enum RecordChange: Sendable, Equatable {
    case put(KeptRecord)
    case remove(RecordKey)
    /// Everything of the key's kind whose key begins with these bytes.
    case removeAll(RecordKey)
}
