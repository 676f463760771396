/// A parsed JSON text.
///
/// Owns the bytes; views share them.
package struct JSONDocument: Sendable {
    let tape: JSONTape

    /// Parses strict JSON: one value, RFC 8259 grammar, well-formed UTF-8, no half surrogates, within `limits`.
    package init(parsing bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
        var parser = JSONParser(bytes, limits: limits)
        tape = try parser.parse()
    }

    package var root: JSONView { JSONView(tape: tape, index: 0) }

    /// Whether there is a null anywhere in the text.
    package var hasNulls: Bool { tape.nodes.contains { $0.kind == .null } }

    /// Whether an object anywhere in the text has two members of the same name, which readers of JSON take differently.
    package var repeatsMembers: Bool { tape.nodes.contains { $0.flags.contains(.superseded) } }
}

/// One value of a document: a reference and an index, cheap to copy.
///
/// Of members with the same key only the last exists. Numbers keep the spelling of the text.
package struct JSONView: Sendable {
    let tape: JSONTape
    let index: Int

    package var kind: JSONKind { tape.nodes[index].kind }

    /// The decoded content of a string, as UTF-8; nil for other kinds.
    package var stringBytes: ArraySlice<UInt8>? {
        kind == .string ? tape.string(index) : nil
    }

    /// The decoded content of a string; nil for other kinds.
    ///
    /// Swift compares strings by canonical equivalence, JSON texts are compared by code points: compare ``stringBytes``.
    package var stringValue: String? {
        stringBytes.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The number as it was spelled; nil for other kinds.
    package var numberText: String? {
        kind == .number ? String(decoding: tape.spelling(index), as: UTF8.self) : nil
    }

    /// The value as bare text: strings decoded and without quotes, numbers as spelled, `true`, `false`, `null`.
    ///
    /// Nil for containers.
    package var scalarText: ArraySlice<UInt8>? {
        switch kind {
        case .object, .array: nil
        case .string: tape.string(index)
        case .number, .true, .false, .null: tape.spelling(index)
        }
    }

    /// True for `{}` and `[]`.
    package var isEmptyContainer: Bool {
        let node = tape.nodes[index]
        return node.isContainer && Int(node.limit) == index + 1
    }

    /// The compact JSON text of the value.
    package var rawJSON: [UInt8] {
        var output: [UInt8] = []
        appendJSON(to: &output)
        return output
    }

    /// Appends the compact JSON text of the value.
    package func appendJSON(to output: inout [UInt8]) {
        tape.appendCompact(index, to: &output)
    }

    /// The value of a member, or nil if this is no object or has no such member.
    package subscript(key: String) -> JSONView? {
        self[ArraySlice(key.utf8)]
    }

    /// The value of the member whose decoded key equals these UTF-8 bytes.
    package subscript(key: ArraySlice<UInt8>) -> JSONView? {
        for member in members where member.key == key { return member.value }
        return nil
    }

    /// The element at a zero-based position, or nil if this is no array or it is shorter.
    package subscript(element position: Int) -> JSONView? {
        guard kind == .array, position >= 0, position < Int(tape.nodes[index].extra) else { return nil }
        var next = index + 1
        for _ in 0..<position { next = tape.indexAfter(next) }
        return JSONView(tape: tape, index: next)
    }

    /// The elements of an array; nothing for other kinds.
    package var elements: JSONElements {
        JSONElements(tape: tape, position: index + 1, end: kind == .array ? tape.indexAfter(index) : index + 1)
    }

    /// The members of an object in the order of the text; nothing for other kinds.
    package var members: JSONMembers {
        JSONMembers(tape: tape, position: index + 1, end: kind == .object ? tape.indexAfter(index) : index + 1)
    }
}

/// A key and its value.
package struct JSONMember: Sendable {
    /// The decoded key, as UTF-8.
    package let key: ArraySlice<UInt8>
    package let value: JSONView

    package var name: String { String(decoding: key, as: UTF8.self) }
}

/// The elements of an array, in order.
package struct JSONElements: Sequence, IteratorProtocol, Sendable {
    let tape: JSONTape
    var position: Int
    let end: Int

    package mutating func next() -> JSONView? {
        guard position < end else { return nil }
        defer { position = tape.indexAfter(position) }
        return JSONView(tape: tape, index: position)
    }
}

/// The members of an object, in order, superseded ones left out.
package struct JSONMembers: Sequence, IteratorProtocol, Sendable {
    let tape: JSONTape
    var position: Int
    let end: Int

    package mutating func next() -> JSONMember? {
        while position < end {
            let key = position
            position = tape.indexAfter(key + 1)
            if tape.nodes[key].flags.contains(.superseded) { continue }
            return JSONMember(key: tape.string(key), value: JSONView(tape: tape, index: key + 1))
        }
        return nil
    }
}
