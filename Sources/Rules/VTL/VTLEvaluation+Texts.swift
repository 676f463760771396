/// The methods of texts; characters are code points.
extension VTLEvaluation {
    mutating func value(
        of call: VTLCall, _ arguments: [VTLValue], on text: ArraySlice<UInt8>
    ) throws(VTLFailure) -> VTLValue {
        try spend(steps: text.count / 64)
        // Java has no such method for a number, so Velocity finds none.
        if call.method.takesTexts, !arguments.allSatisfy({ $0.isText || $0.isNull }) { return .null }
        var texts: [ArraySlice<UInt8>] = []
        for argument in arguments { texts.append(try self.text(of: argument)) }
        switch call.method {
        case .length: return .integer(SQLFunction.characterCount(text))
        case .isEmpty: return .boolean(text.isEmpty)
        case .trim: return .text(Self.trimmed(text))
        case .toLowerCase: return try made(Array(String(decoding: text, as: UTF8.self).lowercased().utf8))
        case .toUpperCase: return try made(Array(String(decoding: text, as: UTF8.self).uppercased().utf8))
        case .concat: return try made(Array(text + texts[0]))
        case .startsWith: return .boolean(text.starts(with: texts[0]))
        case .endsWith: return .boolean(text.suffix(texts[0].count) == texts[0])
        case .equalsIgnoreCase:
            return .boolean(
                String(decoding: text, as: UTF8.self).lowercased().utf8.elementsEqual(
                    String(decoding: texts[0], as: UTF8.self).lowercased().utf8))
        case .contains: return .boolean(try place(of: texts[0], in: text) != nil)
        case .indexOf: return .integer(try place(of: texts[0], in: text).map { SQLFunction.characterCount(text[..<$0]) } ?? -1)
        case .lastIndexOf: return .integer(try lastPlace(of: texts[0], in: text).map { SQLFunction.characterCount(text[..<$0]) } ?? -1)
        case .replace: return try replacing(texts[0], by: texts[1], in: text)
        case .substring: return try substring(of: text, arguments)
        case .charAt:
            guard case .integer(let position) = arguments[0] else { return .null }
            return try substring(of: text, from: position, to: position &+ 1)
        case .replaceAll, .replaceFirst:
            return try replacing(
                try expression(call, texts[0]), by: texts[1], in: text, once: call.method == .replaceFirst)
        case .matches: return .boolean(try matches(try expression(call, texts[0]), text))
        case .split: return try pieces(of: text, between: try expression(call, texts[0]))
        case .add, .addAll, .clear, .containsKey, .containsValue, .entrySet, .equals, .get, .getKey, .getValue, .keySet, .put, .putAll,
            .remove, .set, .size, .toString, .values:
            return .null
        }
    }

    private mutating func made(_ bytes: [UInt8]) throws(VTLFailure) -> VTLValue {
        try spend(bytes: bytes.count)
        return .text(bytes[...])
    }

    /// Java's `trim` takes away everything up to the blank.
    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let rest = text.drop { $0 <= 0x20 }
        return rest.lastIndex { $0 > 0x20 }.map { rest[...$0] } ?? []
    }

    // MARK: Places

    /// Compares at each place; every comparison counts.
    private mutating func place(
        of wanted: ArraySlice<UInt8>, in text: ArraySlice<UInt8>
    ) throws(VTLFailure) -> Int? {
        var place = text.startIndex
        while text.endIndex - place >= wanted.count {
            if try begins(text[place...], with: wanted) { return place }
            place += 1
        }
        return nil
    }

    private mutating func lastPlace(
        of wanted: ArraySlice<UInt8>, in text: ArraySlice<UInt8>
    ) throws(VTLFailure) -> Int? {
        var place = text.endIndex - wanted.count
        while place >= text.startIndex {
            if try begins(text[place...], with: wanted) { return place }
            place -= 1
        }
        return nil
    }

    /// Pays for each byte that is compared.
    private mutating func begins(_ text: ArraySlice<UInt8>, with wanted: ArraySlice<UInt8>) throws(VTLFailure) -> Bool {
        var length = 0
        while length < wanted.count, text[text.startIndex + length] == wanted[wanted.startIndex + length] { length += 1 }
        try spend(comparisons: length + 1)
        return length == wanted.count
    }

    private mutating func replacing(
        _ wanted: ArraySlice<UInt8>, by other: ArraySlice<UInt8>, in text: ArraySlice<UInt8>
    ) throws(VTLFailure) -> VTLValue {
        guard !wanted.isEmpty else { throw .invalid("replace: nothing to replace") }
        var output: [UInt8] = []
        var rest = text
        while let found = try place(of: wanted, in: rest) {
            try spend(steps: 1)
            let start = output.count
            output += rest[..<found]
            output += other
            try spend(bytes: output.count - start)
            rest = rest[(found + wanted.count)...]
        }
        try spend(bytes: rest.count)
        return .text((output + rest)[...])
    }

    // MARK: Parts

    private mutating func substring(of text: ArraySlice<UInt8>, _ arguments: [VTLValue]) throws(VTLFailure) -> VTLValue {
        guard case .integer(let start) = arguments[0] else { return .null }
        guard arguments.count > 1 else { return try substring(of: text, from: start, to: SQLFunction.characterCount(text)) }
        guard case .integer(let end) = arguments[1] else { return .null }
        return try substring(of: text, from: start, to: end)
    }

    private func substring(of text: ArraySlice<UInt8>, from start: Int, to end: Int) throws(VTLFailure) -> VTLValue {
        let count = SQLFunction.characterCount(text)
        // Java throws, too, and the service answers 500.
        guard start >= 0, start <= end, end <= count else {
            throw .invalid("characters \(start) to \(end) of a text that has \(count)")
        }
        return .text(SQLFunction.slice(text, from: start, to: end))
    }
}
