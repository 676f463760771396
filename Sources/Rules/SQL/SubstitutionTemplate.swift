/// Text with `${expression}` places, as action fields have them; filled from the original message, not from the SELECT result.
///
/// A `$$` at the start stands for one literal `$`, so that a topic may begin with it.
package struct SubstitutionTemplate: Sendable {
    /// The longest template and the longest result, in bytes: what an MQTT string can carry.
    package static let bytesMax = 65_535

    private enum Part: Sendable {
        case literal(ArraySlice<UInt8>)
        case value(SQLProgram)
    }

    private let version: SQLVersion
    private let parts: [Part]

    /// - Parameters:
    ///   - text: the template.
    ///   - version: the rule's.
    ///   - variables: the names that the rule's SET gives, see ``SQLStatement/variables``.
    ///   - host: as for the rule's statement.
    /// - Throws: what cannot be read, and where.
    package init(
        parsing text: String, version: SQLVersion = .v2016, variables: [String] = [], host: SQLHost = SQLHost()
    ) throws(SQLError) {
        let bytes = Array(text.utf8)
        guard bytes.count <= SubstitutionTemplate.bytesMax else {
            throw SQLError(offset: SubstitutionTemplate.bytesMax, message: "template is longer than \(SubstitutionTemplate.bytesMax) bytes")
        }
        let dollar = UInt8(ascii: "$")
        var parts: [Part] = []
        var literalStart = 0
        var index = 0
        if bytes.starts(with: [dollar, dollar]) { (literalStart, index) = (1, 2) }
        while index < bytes.count {
            guard bytes[index] == dollar, index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "{") else {
                index += 1
                continue
            }
            if literalStart < index { parts.append(.literal(bytes[literalStart..<index])) }
            var parser = try SQLExpressionParser(SQLLexer(bytes, from: index + 2), version: version, variables: variables, host: host)
            parts.append(.value(try parser.expression()))
            guard parser.token == .symbol(.closeBrace) else { throw parser.unexpected("'}'") }
            index = parser.end
            literalStart = index
        }
        if literalStart < bytes.count { parts.append(.literal(bytes[literalStart...])) }
        self.version = version
        self.parts = parts
    }

    /// The text, of a template that is the same for every message.
    package var constant: String? {
        var output: [UInt8] = []
        for part in parts {
            guard case .literal(let text) = part else { return nil }
            output.append(contentsOf: text)
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Whether what the publisher wrote stands in the first level of the text, so that it may say all of a topic, slashes and levels too.
    package var opensWithMessage: Bool {
        for part in parts {
            switch part {
            case .literal(let text): if text.contains(UInt8(ascii: "/")) { return false }
            case .value(let program): if program.readsMessage { return true }
            }
        }
        return false
    }

    /// The text for one message; nil if a value is Undefined or Null, or the text grows past ``bytesMax``.
    ///
    /// `match` has the values of the rule's SET; without it they are Undefined.
    package func render(_ input: SQLInput, _ match: SQLMatch? = nil) -> String? {
        var evaluation = SQLEvaluation(input: input, version: version)
        evaluation.variables = match?.variables ?? []
        var output: [UInt8] = []
        for part in parts {
            switch part {
            case .literal(let text): output.append(contentsOf: text)
            case .value(let program):
                guard let text = (try? evaluation.value(of: program))?.text(version) else { return nil }
                output.append(contentsOf: text)
            }
            guard output.count <= SubstitutionTemplate.bytesMax else { return nil }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
