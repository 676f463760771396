import Rules

/// The body of an answer as it is put together.
enum AnswerDocument: Sendable {
    case text(String)
    case number(Int)
    case boolean(Bool)
    /// A value that is JSON already.
    case json([UInt8])
    case list([AnswerDocument])
    /// In the order given; members without a value are left out.
    case object(KeyValuePairs<String, AnswerDocument?>)
    /// In the order of the names.
    case map([String: AnswerDocument])

    static func texts(_ map: [String: String]) -> AnswerDocument { .map(map.mapValues { .text($0) }) }
    static func texts(_ list: [String]) -> AnswerDocument { .list(list.map { .text($0) }) }

    var json: [UInt8] {
        var output: [UInt8] = []
        append(to: &output)
        return output
    }

    // Recursion follows the documents that Crema writes, which are shallow.
    private func append(to output: inout [UInt8]) {
        switch self {
        case .text(let text): JSONText.appendString(text.utf8, to: &output)
        case .number(let number): output += String(number).utf8
        case .boolean(let value): output += (value ? "true" : "false").utf8
        case .json(let json): output += json
        case .list(let elements):
            output.append(UInt8(ascii: "["))
            for (position, element) in elements.enumerated() {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                element.append(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members): Self.append(members.map { ($0.key, $0.value) }, to: &output)
        case .map(let members): Self.append(members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, to: &output)
        }
    }

    private static func append(_ members: [(String, AnswerDocument?)], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "{"))
        var isFirst = true
        for case (let name, let value?) in members {
            if !isFirst { output.append(UInt8(ascii: ",")) }
            isFirst = false
            JSONText.appendString(name.utf8, to: &output)
            output.append(UInt8(ascii: ":"))
            value.append(to: &output)
        }
        output.append(UInt8(ascii: "}"))
    }
}
