/// Functions of strings; other values are converted, and Null and Undefined give Undefined.
///
/// Characters are code points: no function cuts one in two.
extension SQLFunction {
    /// The most blanks that lpad and rpad add.
    static let paddingMax = 1_000

    static let text: [SQLFunction] = [
        SQLFunction("chr", 1) { _, arguments throws(SQLEvaluationError) in
            guard let code = arguments[0].decimal?.floorPosition, (0...127).contains(code) else { return .undefined }
            return .string([UInt8(truncatingIfNeeded: code)])
        },
        SQLFunction("concat", 0...Int.max) { evaluation, arguments throws(SQLEvaluationError) in
            try concatenation(arguments.all, &evaluation)
        },
        SQLFunction("endswith", 2) { evaluation, arguments throws(SQLEvaluationError) in
            guard let (text, end) = try texts(arguments, &evaluation) else { return .undefined }
            return .boolean(text.count >= end.count && text.suffix(end.count) == end)
        },
        SQLFunction("startswith", 2) { evaluation, arguments throws(SQLEvaluationError) in
            guard let (text, start) = try texts(arguments, &evaluation) else { return .undefined }
            return .boolean(text.starts(with: start))
        },
        SQLFunction("indexof", 2, since: .v2016) { evaluation, arguments throws(SQLEvaluationError) in
            guard let (text, wanted) = try texts(arguments, &evaluation) else { return .undefined }
            guard let place = try position(of: wanted, in: text, &evaluation) else { return .number(SQLNumber(-1)) }
            return .number(SQLNumber(Int64(characterCount(text[..<place]))))
        },
        SQLFunction("length", 1, since: .v2016) { evaluation, arguments throws(SQLEvaluationError) in
            try evaluation.text(arguments[0]).map { .number(SQLNumber(Int64(characterCount($0)))) } ?? .undefined
        },
        SQLFunction("numbytes", 1, since: .v2016) { evaluation, arguments throws(SQLEvaluationError) in
            try evaluation.text(arguments[0]).map { .number(SQLNumber(Int64($0.count))) } ?? .undefined
        },
        mapped("lower") { ArraySlice(String(decoding: $0, as: UTF8.self).lowercased().utf8) },
        mapped("upper") { ArraySlice(String(decoding: $0, as: UTF8.self).uppercased().utf8) },
        mapped("ltrim") { $0.drop(while: isBlank) },
        mapped("rtrim") { trimmedAtEnd($0, isBlank) },
        mapped("trim") { trimmedAtEnd($0.drop(while: isWhiteSpace), isWhiteSpace) },
        padded("lpad") { blanks, text in blanks + text },
        padded("rpad") { blanks, text in text + blanks },
        SQLFunction("replace", 3) { evaluation, arguments throws(SQLEvaluationError) in
            guard let (text, wanted) = try texts(arguments, &evaluation), let other = try evaluation.text(arguments[2]) else {
                return .undefined
            }
            return .string(try replacing(wanted, by: other, in: text, &evaluation))
        },
        SQLFunction("substring", 2...3) { evaluation, arguments throws(SQLEvaluationError) in
            guard let text = try evaluation.text(arguments[0]), let start = arguments[1].decimal?.floorPosition else { return .undefined }
            guard arguments.count == 3 else { return .string(slice(text, from: start, to: .max)) }
            guard let end = arguments[2].decimal?.floorPosition else { return .undefined }
            return .string(slice(text, from: start, to: end))
        },
    ]

    static func texts(
        _ arguments: SQLArguments, _ evaluation: inout SQLEvaluation
    ) throws(SQLEvaluationError) -> (ArraySlice<UInt8>, ArraySlice<UInt8>)? {
        guard let first = try evaluation.text(arguments[0]), let second = try evaluation.text(arguments[1]) else { return nil }
        return (first, second)
    }

    private static func mapped(_ name: String, _ change: @escaping @Sendable (ArraySlice<UInt8>) -> ArraySlice<UInt8>) -> SQLFunction {
        SQLFunction(name, 1) { evaluation, arguments throws(SQLEvaluationError) in
            try evaluation.text(arguments[0]).map { .string(change($0)) } ?? .undefined
        }
    }

    private static func padded(
        _ name: String, _ join: @escaping @Sendable (ArraySlice<UInt8>, ArraySlice<UInt8>) -> ArraySlice<UInt8>
    ) -> SQLFunction {
        SQLFunction(name, 2) { evaluation, arguments throws(SQLEvaluationError) in
            guard let text = try evaluation.text(arguments[0]), let count = arguments[1].decimal?.floorPosition else { return .undefined }
            let blanks = ArraySlice(repeatElement(UInt8(ascii: " "), count: min(max(count, 0), paddingMax)))
            try evaluation.budget.spend(bytes: blanks.count)
            return .string(join(blanks, text))
        }
    }

    /// No argument is Undefined, one is itself; arrays take in everything, else texts are joined.
    private static func concatenation(_ values: [SQLValue], _ evaluation: inout SQLEvaluation) throws(SQLEvaluationError) -> SQLValue {
        guard values.count > 1 else { return values.first ?? .undefined }
        guard values.contains(where: { $0.container(.array) != nil }) else {
            var joined: [UInt8] = []
            for value in values {
                guard let text = try evaluation.text(value) else { return .undefined }
                joined += text
            }
            return .string(joined[...])
        }
        var elements: [SQLValue] = []
        for value in values {
            if let array = value.container(.array) {
                for element in array.elements { elements.append(.json(element)) }
            } else {
                elements.append(value)
            }
        }
        return try evaluation.array(of: elements)
    }

    // MARK: Characters

    @Sendable private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    @Sendable private static func isWhiteSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func trimmedAtEnd(_ text: ArraySlice<UInt8>, _ drops: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        guard let last = text.lastIndex(where: { !drops($0) }) else { return text.prefix(0) }
        return text[...last]
    }

    /// Bytes that go on with a character of UTF-8 begin none.
    static func beginsCharacter(_ byte: UInt8) -> Bool { byte & 0xC0 != 0x80 }

    static func characterCount(_ text: ArraySlice<UInt8>) -> Int {
        var count = 0
        for byte in text where beginsCharacter(byte) { count += 1 }
        return count
    }

    /// The characters from one position to before the other, both cut to what there is.
    static func slice(_ text: ArraySlice<UInt8>, from start: Int, to end: Int) -> ArraySlice<UInt8> {
        guard max(start, 0) < end else { return text.prefix(0) }
        var (first, last) = (text.endIndex, text.endIndex)
        var character = -1
        for index in text.indices where beginsCharacter(text[index]) {
            character += 1
            if character == max(start, 0) { first = index }
            if character == end {
                last = index
                break
            }
        }
        return first < last ? text[first..<last] : text.prefix(0)
    }

    /// Where the text first occurs; an empty one at the start.
    ///
    /// Compares at each place: the cost is at most the product of both lengths, and is paid for.
    static func position(
        of wanted: ArraySlice<UInt8>, in text: ArraySlice<UInt8>, _ evaluation: inout SQLEvaluation
    ) throws(SQLEvaluationError) -> Int? {
        guard let first = wanted.first else { return text.startIndex }
        var place = text.startIndex
        while text.endIndex - place >= wanted.count {
            if text[place] == first {
                var length = 1
                while length < wanted.count, text[place + length] == wanted[wanted.startIndex + length] { length += 1 }
                if length == wanted.count { return place }
                if length > 8 { try evaluation.budget.spend(steps: length / 8) }
            }
            place += 1
        }
        return nil
    }

    private static func replacing(
        _ wanted: ArraySlice<UInt8>, by other: ArraySlice<UInt8>, in text: ArraySlice<UInt8>, _ evaluation: inout SQLEvaluation
    ) throws(SQLEvaluationError) -> ArraySlice<UInt8> {
        guard !wanted.isEmpty else { return text }
        var output: [UInt8] = []
        var rest = text
        while let place = try position(of: wanted, in: rest, &evaluation) {
            try evaluation.budget.spend(bytes: other.count)
            output += rest[..<place]
            output += other
            rest = rest[(place + wanted.count)...]
        }
        return (output + rest)[...]
    }
}
