/// Why a path is refused.
package struct EventPathError: Error, Equatable, Sendable, CustomStringConvertible {
    package let path: String
    package let reason: String

    package var description: String { "path '\(path)': \(reason)" }
}

/// A JSONPath as EventBridge takes it: `$`, `.name`, `['name']`, `[n]`, and where several values may be named the wildcards `.*` and `[*]`.
///
/// Slices, filters, `..` and negative positions are refused by name.
package struct EventPath: Sendable, Equatable {
    /// The longest path, in characters: the service's limit for `InputPath`.
    package static let charactersMax = 256

    package enum Step: Sendable, Equatable {
        case member(ArraySlice<UInt8>)
        case element(Int)
        /// `*`: all elements of an array, all members of an object.
        case all
    }

    package let steps: [Step]

    /// Reads a path.
    ///
    /// - Parameters:
    ///   - text: the path.
    ///   - takesWildcards: Whether it may name several values, for ``selection(in:)``.
    /// - Throws: what is not supported.
    package init(parsing text: String, takesWildcards: Bool = false) throws(EventPathError) {
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
                if takesWildcards, name.elementsEqual("*".utf8) {
                    steps.append(.all)
                } else {
                    if let reason = EventPath.refusal(ofName: name, before: rest[name.endIndex...].first) { throw refuse(reason) }
                    steps.append(.member(name))
                }
                rest = rest[name.endIndex...]
            case UInt8(ascii: "[") where takesWildcards && rest.starts(with: "[*]".utf8):
                steps.append(.all)
                rest = rest.dropFirst(3)
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
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$") || byte == UInt8(ascii: "/")
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
    /// A JSON null is a value. A path with wildcards names none.
    package func select(in event: JSONView) -> JSONView? { Self.value(at: steps[...], in: event) }

    /// The value the path names; of a path with wildcards an array of all that it names, in order.
    ///
    /// Nil where there is none: before the first wildcard. What a wildcard leads to nowhere is left out.
    package func selection(in event: JSONView) -> JSONView? {
        guard let wildcard = steps.firstIndex(of: .all) else { return select(in: event) }
        guard let start = Self.value(at: steps[..<wildcard], in: event) else { return nil }
        var found = [start]
        // Each step goes down, so that no value is found twice and the array is no longer than the event.
        for step in steps[wildcard...] {
            found = found.flatMap { value in
                guard step == .all else { return Self.value(at: [step], in: value).map { [$0] } ?? [] }
                return value.kind == .array ? Array(value.elements) : value.members.map(\.value)
            }
        }
        var output = [UInt8(ascii: "[")]
        for value in found {
            if output.count > 1 { output.append(UInt8(ascii: ",")) }
            value.appendJSON(to: &output)
        }
        output.append(UInt8(ascii: "]"))
        return try? JSONDocument(parsing: output, limits: JSONLimits(bytesMax: output.count)).root
    }

    private static func value(at steps: ArraySlice<Step>, in event: JSONView) -> JSONView? {
        var current = event
        for step in steps {
            let next: JSONView? =
                switch step {
                case .member(let name): current[name]
                case .element(let position): current[element: position]
                case .all: nil
                }
            guard let next else { return nil }
            current = next
        }
        return current
    }
}
