/// Reads one JSON text into a ``JSONTape``.
///
/// The parser keeps its own stack of open containers, so the depth of the text costs heap, never call stack.
struct JSONParser {
    private enum Expectation { case value, valueOrEnd, key, keyOrEnd, separator }

    private let bytes: [UInt8]
    private let limits: JSONLimits
    private var position = 0
    private var nodes: [JSONNode] = []
    private var arena: [UInt8] = []
    private var open: [Int] = []
    private var isCompact = true

    init(_ bytes: [UInt8], limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func parse() throws(JSONError) -> JSONTape {
        // Node fields are 32 bits wide, whatever the caller allows.
        guard bytes.count <= min(limits.bytesMax, Int(Int32.max)) else {
            throw JSONError(offset: 0, reason: .tooLarge(bytesMax: limits.bytesMax))
        }
        nodes.reserveCapacity(min(bytes.count / 8 + 1, 1_024))
        var expectation = Expectation.value
        while true {
            skipWhitespace()
            guard position < bytes.count else {
                if case .separator = expectation, open.isEmpty { break }
                throw JSONError(offset: position, reason: .unexpectedEnd)
            }
            if case .separator = expectation, open.isEmpty {
                throw JSONError(offset: position, reason: .trailingBytes)
            }
            expectation = try advance(from: expectation, at: bytes[position])
        }
        return JSONTape(source: bytes, nodes: nodes, arena: arena, isCompact: isCompact)
    }

    private mutating func advance(from expectation: Expectation, at byte: UInt8) throws(JSONError) -> Expectation {
        switch (expectation, byte) {
        case (.valueOrEnd, UInt8(ascii: "]")), (.keyOrEnd, UInt8(ascii: "}")):
            closeContainer()
            return .separator
        case (.value, _), (.valueOrEnd, _):
            return try parseValue(byte)
        case (.key, UInt8(ascii: "\"")), (.keyOrEnd, UInt8(ascii: "\"")):
            try parseString(flags: .key)
            skipWhitespace()
            guard position < bytes.count else { throw JSONError(offset: position, reason: .unexpectedEnd) }
            guard bytes[position] == UInt8(ascii: ":") else { throw unexpectedByte() }
            position += 1
            return .value
        case (.separator, UInt8(ascii: ",")):
            position += 1
            return isInObject ? .key : .value
        case (.separator, UInt8(ascii: "}")) where isInObject, (.separator, UInt8(ascii: "]")) where !isInObject:
            closeContainer()
            return .separator
        default:
            throw unexpectedByte()
        }
    }

    private var isInObject: Bool {
        guard let last = open.last else { return false }
        return nodes[last].kind == .object
    }

    private func unexpectedByte() -> JSONError {
        JSONError(offset: position, reason: .unexpectedByte(bytes[position]))
    }

    private mutating func skipWhitespace() {
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default:
                if position != start { isCompact = false }
                return
            }
        }
        if position != start { isCompact = false }
    }

    // MARK: Values

    private mutating func parseValue(_ byte: UInt8) throws(JSONError) -> Expectation {
        if let container = open.last {
            // Counts members as well: a key raised nothing, its value does.
            nodes[container].extra &+= 1
        }
        switch byte {
        case UInt8(ascii: "{"):
            try openContainer(.object)
            return .keyOrEnd
        case UInt8(ascii: "["):
            try openContainer(.array)
            return .valueOrEnd
        case UInt8(ascii: "\""):
            try parseString(flags: [])
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try parseNumber()
        default:
            try parseWord()
        }
        return .separator
    }

    private mutating func openContainer(_ kind: JSONKind) throws(JSONError) {
        guard open.count < limits.depthMax else {
            throw JSONError(offset: position, reason: .tooDeep(depthMax: limits.depthMax))
        }
        open.append(nodes.count)
        appendNode(kind, from: position, flags: [])
        position += 1
    }

    private mutating func closeContainer() {
        position += 1
        guard let index = open.popLast() else { return }
        nodes[index].end = UInt32(truncatingIfNeeded: position)
        nodes[index].limit = UInt32(truncatingIfNeeded: nodes.count)
        if nodes[index].kind == .object, nodes[index].extra > 1 {
            markSupersededMembers(of: index)
        }
    }

    private mutating func appendNode(_ kind: JSONKind, from start: Int, flags: JSONNode.Flags, limit: Int = 0, extra: Int = 0) {
        nodes.append(
            JSONNode(
                kind: kind,
                flags: flags,
                start: UInt32(truncatingIfNeeded: start),
                end: UInt32(truncatingIfNeeded: position),
                limit: UInt32(truncatingIfNeeded: limit),
                extra: UInt32(truncatingIfNeeded: extra)
            )
        )
    }

    private mutating func parseWord() throws(JSONError) {
        let start = position
        while position < bytes.count, JSONParser.isWordByte(bytes[position]), position - start < 64 { position += 1 }
        switch bytes[start..<position] {
        case JSONParser.trueWord: appendNode(.true, from: start, flags: [])
        case JSONParser.falseWord: appendNode(.false, from: start, flags: [])
        case JSONParser.nullWord: appendNode(.null, from: start, flags: [])
        case let word where word.isEmpty: throw unexpectedByte()
        case let word:
            throw JSONError(offset: start, reason: .unrecognizedToken(String(decoding: word, as: UTF8.self)))
        }
    }

    private static let trueWord = ArraySlice("true".utf8)
    private static let falseWord = ArraySlice("false".utf8)
    private static let nullWord = ArraySlice("null".utf8)

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || isDigit(byte) || byte == UInt8(ascii: "_")
    }

    // MARK: Numbers

    private mutating func parseNumber() throws(JSONError) {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        if position < bytes.count, bytes[position] == UInt8(ascii: "0") {
            position += 1
        } else {
            try skipDigits()
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try skipDigits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") { position += 1 }
            try skipDigits()
        }
        if position < bytes.count, JSONParser.isWordByte(bytes[position]) || bytes[position] == UInt8(ascii: ".") {
            throw JSONError(offset: position, reason: .invalidNumber)
        }
        appendNode(.number, from: start, flags: [])
    }

    private mutating func skipDigits() throws(JSONError) {
        guard position < bytes.count, JSONParser.isDigit(bytes[position]) else {
            throw JSONError(offset: position, reason: .invalidNumber)
        }
        while position < bytes.count, JSONParser.isDigit(bytes[position]) { position += 1 }
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    // MARK: Strings

    private mutating func parseString(flags: JSONNode.Flags) throws(JSONError) {
        let start = position
        position += 1
        var scanner = JSONStringScanner(position: position)
        try scanner.scan(bytes, into: &arena)
        position = scanner.position
        if let decodedStart = scanner.decodedStart {
            appendNode(.string, from: start, flags: flags.union(.escaped), limit: arena.count, extra: decodedStart)
        } else {
            appendNode(.string, from: start, flags: flags)
        }
    }

    // MARK: Duplicate keys

    /// Up to so many keys are compared with each other rather than put in a table.
    private static let comparedMax = 6

    private mutating func markSupersededMembers(of object: Int) {
        guard nodes[object].extra > Self.comparedMax else { return compareMembers(of: object) }
        var keys: [Int] = []
        keys.reserveCapacity(Int(nodes[object].extra))
        var next = object + 1
        while next < nodes.count {
            keys.append(next)
            next = member(after: next)
        }
        var lastWithName: [ByteKey: Int] = [:]
        lastWithName.reserveCapacity(keys.count)
        for key in keys {
            if let earlier = lastWithName.updateValue(key, forKey: ByteKey(name(of: key))) {
                nodes[earlier].flags.insert(.superseded)
                isCompact = false
            }
        }
    }

    private mutating func compareMembers(of object: Int) {
        var key = object + 1
        while key < nodes.count {
            let next = member(after: key)
            var later = next
            while later < nodes.count {
                if haveSameName(key, later) {
                    nodes[key].flags.insert(.superseded)
                    isCompact = false
                    break
                }
                later = member(after: later)
            }
            key = next
        }
    }

    private func haveSameName(_ key: Int, _ other: Int) -> Bool {
        let (first, second) = (nodes[key], nodes[other])
        guard first.flags.isDisjoint(with: .escaped), second.flags.isDisjoint(with: .escaped) else {
            return name(of: key) == name(of: other)
        }
        let length = Int(first.end - first.start)
        guard length == Int(second.end - second.start) else { return false }
        for offset in 0..<length where bytes[Int(first.start) + offset] != bytes[Int(second.start) + offset] { return false }
        return true
    }

    /// The key behind a member; past all nodes behind the last one of an object that ends here.
    private func member(after key: Int) -> Int {
        let value = nodes[key + 1]
        return value.isContainer ? Int(value.limit) : key + 2
    }

    private func name(of key: Int) -> ArraySlice<UInt8> {
        let node = nodes[key]
        if node.flags.contains(.escaped) {
            return arena[Int(node.extra)..<Int(node.limit)]
        }
        return bytes[Int(node.start) + 1..<Int(node.end) - 1]
    }
}
