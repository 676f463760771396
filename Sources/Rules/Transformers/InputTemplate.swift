/// A compiled `InputTemplate`: literal text and the places where values go.
struct InputTemplate: Sendable {
    /// Where a placeholder's value comes from.
    enum Source: Sendable {
        /// A path, and its number in the map: a value is looked for once, however often it is put in.
        case path(EventPath, number: Int)
        case reserved(ReservedVariable)
    }

    enum Part: Sendable {
        case literal(ArraySlice<UInt8>)
        /// Outside quotes: the value's JSON.
        case json(name: String, Source)
        /// Inside quotes: the value's text, unescaped, as the service does it.
        case text(name: String, Source)
    }

    enum Form: Sendable {
        case json
        /// One quoted string, or several, one a line.
        case strings
    }

    private(set) var parts: [Part] = []
    let form: Form

    private let sources: [ByteKey: Source]
    private var literal: [UInt8] = []
    /// The template with `null` for values and a letter for text, to see whether the rest is JSON.
    private var skeleton: [UInt8] = []

    init(parsing template: String, sources: [ByteKey: Source]) throws(InputTransformerError) {
        self.sources = sources
        let text = InputTemplate.trimmed(ArraySlice(template.utf8))
        guard let first = text.first else { throw .emptyTemplate }
        form = first == UInt8(ascii: "\"") ? .strings : .json
        switch form {
        case .json:
            try compile(text)
            try checkSkeleton { .notJSON($0) }
        case .strings:
            try compileLines(text)
        }
        endLiteral()
    }

    private mutating func compileLines(_ text: ArraySlice<UInt8>) throws(InputTransformerError) {
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let line = InputTemplate.trimmed(line)
            guard line.first == UInt8(ascii: "\"") else { throw .notQuoted(line: index + 1) }
            if index > 0 { literal.append(UInt8(ascii: "\n")) }
            skeleton = []
            try compile(line)
            // More than one string on a line is no JSON value, so this refuses it too.
            try checkSkeleton { _ in .notQuoted(line: index + 1) }
        }
    }

    private func checkSkeleton(_ refusal: (JSONError) -> InputTransformerError) throws(InputTransformerError) {
        do throws(JSONError) {
            _ = try JSONDocument(parsing: skeleton)
        } catch {
            throw refusal(error)
        }
    }

    /// Appends the parts of a text, without the whitespace outside strings.
    private mutating func compile(_ text: ArraySlice<UInt8>) throws(InputTransformerError) {
        var isInString = false
        var nameInString: String?
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            if byte == UInt8(ascii: "<"), let name = InputTemplate.placeholder(text[index...]) {
                try appendPlaceholder(name, isInString: isInString)
                if isInString { nameInString = name }
                index += name.utf8.count + 2
                continue
            }
            index += 1
            switch byte {
            case UInt8(ascii: "\\") where isInString && index < text.endIndex:
                // The escaped byte goes with it: it neither ends the string nor begins a placeholder.
                appendLiteral([byte, text[index]])
                index += 1
            case UInt8(ascii: "\""):
                if isInString, let name = nameInString, InputTemplate.isKey(before: text[index...]) { throw .placeholderInKey(name) }
                isInString.toggle()
                nameInString = nil
                appendLiteral([byte])
            case 0x20, 0x09, 0x0A, 0x0D:
                // Outside strings kept in the skeleton alone: `1 2` must not become 12.
                if isInString { literal.append(byte) }
                skeleton.append(byte)
            default:
                appendLiteral([byte])
            }
        }
    }

    private mutating func appendLiteral(_ bytes: [UInt8]) {
        literal.append(contentsOf: bytes)
        skeleton.append(contentsOf: bytes)
    }

    private mutating func endLiteral() {
        if !literal.isEmpty { parts.append(.literal(ArraySlice(literal))) }
        literal = []
    }

    private mutating func appendPlaceholder(_ name: String, isInString: Bool) throws(InputTransformerError) {
        guard let source = source(of: name) else { throw .unknownPlaceholder(name) }
        if isInString, case .reserved(let variable) = source, variable.isObject { throw .objectInsideQuotes(name) }
        endLiteral()
        if isInString {
            parts.append(.text(name: name, source))
            // No hexadecimal digit: an escape that goes around a placeholder, as in `\u00<a>41`, is none.
            skeleton.append(UInt8(ascii: "z"))
        } else {
            parts.append(.json(name: name, source))
            skeleton.append(contentsOf: "null".utf8)
        }
    }

    private func source(of name: String) -> Source? {
        if let reserved = ReservedVariable(rawValue: name) { return .reserved(reserved) }
        return sources[ByteKey(copying: name.utf8)]
    }

    /// The name if the text begins with a placeholder; other `<` are literal.
    private static func placeholder(_ text: ArraySlice<UInt8>) -> String? {
        let name = text.dropFirst().prefix(while: isNameByte)
        guard !name.isEmpty, text[name.endIndex...].first == UInt8(ascii: ">") else { return nil }
        return String(decoding: name, as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        InputTransformer.isNameByte(byte) || byte == UInt8(ascii: ".")
    }

    private static func isKey(before rest: ArraySlice<UInt8>) -> Bool {
        rest.first { !isWhitespace($0) } == UInt8(ascii: ":")
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text.drop(while: isWhitespace)
        while let last = text.last, isWhitespace(last) { text = text.dropLast() }
        return text
    }

    private static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }
}
