/// Why a path is refused.
package struct EventPathError: Error, Equatable, Sendable, CustomStringConvertible {
    package let path: String
    package let reason: String

    package var description: String { "path '\(path)': \(reason)" }
}

/// A JSONPath that names one value: `$`, `.name`, `['name']`, `[n]`.
///
/// Wildcards, slices, filters, `..` and negative positions are refused by name.
package struct EventPath: Sendable, Equatable {
    /// The longest path, in characters: the service's limit for `InputPath`.
    package static let charactersMax = 256

    package enum Step: Sendable, Equatable {
        case member(ArraySlice<UInt8>)
        case element(Int)
    }

    package let steps: [Step]

    package init(parsing text: String) throws(EventPathError) {
        func refuse(_ reason: String) -> EventPathError { EventPathError(path: text, reason: reason) }
        let bytes = ArraySlice(text.utf8)
        guard text.unicodeScalars.count <= EventPath.charactersMax else {
            throw EventPathError(path: String(text.prefix(32)) + "…", reason: "longer than \(EventPath.charactersMax) characters")
        }
        guard bytes.first == UInt8(ascii: "$") else { throw refuse("a path begins with '$'") }
        var steps: [Step] = []
        var rest = bytes.dropFirst()
        while let byte = rest.first {
            switch byte {
            case UInt8(ascii: "."):
                rest = rest.dropFirst()
                let name = rest.prefix { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "[") }
                if let reason = EventPath.refusal(ofName: name, before: rest.first) { throw refuse(reason) }
                steps.append(.member(name))
                rest = rest[name.endIndex...]
            case UInt8(ascii: "["):
                let (step, length) = try EventPath.bracketStep(rest, of: text)
                steps.append(step)
                rest = rest.dropFirst(length)
            default:
                throw refuse("'.' or '[' expected after '$', a name or ']'")
            }
        }
        self.steps = steps
    }

    private static func refusal(ofName name: ArraySlice<UInt8>, before next: UInt8?) -> String? {
        if name.isEmpty { return next == UInt8(ascii: ".") ? "'..' is not supported" : "a name is missing" }
        if name.elementsEqual("*".utf8) { return "the wildcard '*' is not supported" }
        let isPlain = name.allSatisfy { byte in
            byte >= 0x80 || JSONParser.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$")
        }
        return isPlain ? nil : "write '\(String(decoding: name, as: UTF8.self))' as ['…']"
    }

    /// Reads `['name']`, `["name"]` or `[n]` at the start of `rest`.
    private static func bracketStep(_ rest: ArraySlice<UInt8>, of text: String) throws(EventPathError) -> (Step, length: Int) {
        func refuse(_ reason: String) -> EventPathError { EventPathError(path: text, reason: reason) }
        let content = rest.dropFirst()
        guard let first = content.first else { throw refuse("']' is missing") }
        if first == UInt8(ascii: "'") || first == UInt8(ascii: "\"") {
            let name = content.dropFirst().prefix { $0 != first }
            guard !name.contains(UInt8(ascii: "\\")) else { throw refuse("escapes in ['…'] are not supported") }
            guard !name.isEmpty else { throw refuse("a name is missing") }
            let end = rest[name.endIndex...].dropFirst()
            guard end.first == UInt8(ascii: "]") else { throw refuse("'] expected after a quoted name") }
            return (.member(name), name.count + 4)
        }
        let digits = content.prefix { $0 != UInt8(ascii: "]") }
        guard rest[digits.endIndex...].first == UInt8(ascii: "]") else { throw refuse("']' is missing") }
        let inside = String(decoding: digits, as: UTF8.self)
        guard !digits.isEmpty, digits.count <= 9, digits.allSatisfy(JSONParser.isDigit), let position = Int(inside) else {
            throw refuse("[\(inside)] is not supported; [n] and ['name'] are")
        }
        return (.element(position), digits.count + 2)
    }

    /// The value the path names, or nil where there is none.
    ///
    /// A JSON null is a value.
    package func select(in event: JSONView) -> JSONView? {
        var current = event
        for step in steps {
            let next: JSONView? =
                switch step {
                case .member(let name): current[name]
                case .element(let position): current[element: position]
                }
            guard let next else { return nil }
            current = next
        }
        return current
    }
}
