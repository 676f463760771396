/// Why a path is refused.
package struct EventPathError: Error, Equatable, Sendable, CustomStringConvertible {
    package let path: String
    package let reason: String

    package var description: String { "path '\(path)': \(reason)" }
}

/// A JSONPath: `$`, `.name`, `['name']`, `[n]`, and what else its ``Reach`` lets it have.
///
/// Filters, `..` and everything else are refused by name.
package struct EventPath: Sendable, Equatable {
    /// The longest path, in characters: the service's limit for `InputPath`.
    package static let charactersMax = 256

    package enum Step: Sendable, Equatable {
        case member(ArraySlice<UInt8>)
        /// Counted from the end where it is below zero: -1 is the last one.
        case element(Int)
        /// `*`: all elements of an array, all members of an object.
        case all
        /// `[lower:upper]`: elements from the one to before the other, each counted from the end where it is below zero.
        case slice(lower: Int?, upper: Int?)

        /// Whether it may lead to several values, so that the path names an array.
        var isMany: Bool {
            switch self {
            case .member, .element: false
            case .all, .slice: true
            }
        }
    }

    /// How many values a path may name, and how.
    package enum Reach: Sendable {
        /// One value, by names and positions.
        case one
        /// Several by wildcards besides, as EventBridge takes them.
        case wildcards
        /// Several by wildcards and slices, and positions from the end, as API Gateway takes them.
        case many
    }

    package let steps: [Step]

    /// Reads a path.
    ///
    /// - Parameters:
    ///   - text: the path.
    ///   - reach: what it may have; ``select(in:)`` is for those that name one value.
    /// - Throws: what is not supported.
    package init(parsing text: String, reach: Reach = .one) throws(EventPathError) {
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
                if reach != .one, name.elementsEqual("*".utf8) {
                    steps.append(.all)
                } else {
                    if let reason = EventPath.refusal(ofName: name, before: rest[name.endIndex...].first) { throw refuse(reason) }
                    steps.append(.member(name))
                }
                rest = rest[name.endIndex...]
            case UInt8(ascii: "[") where reach != .one && rest.starts(with: "[*]".utf8):
                steps.append(.all)
                rest = rest.dropFirst(3)
            case UInt8(ascii: "["):
                let (step, length) = try EventPath.bracketStep(rest, of: text, reach)
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

    /// Reads `['name']`, `["name"]`, `[n]` or `[a:b]` at the start of `rest`.
    private static func bracketStep(
        _ rest: ArraySlice<UInt8>, of text: String, _ reach: Reach
    ) throws(EventPathError) -> (Step, length: Int) {
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
        if let position = number(digits), position >= 0 || reach == .many { return (.element(position), digits.count + 2) }
        let bounds = digits.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        let numbers = bounds.map { number($0) }
        if reach == .many, bounds.count == 2, digits.count > 1, zip(bounds, numbers).allSatisfy({ $0.isEmpty || $1 != nil }) {
            return (.slice(lower: numbers[0], upper: numbers[1]), digits.count + 2)
        }
        throw refuse("[\(inside)] is not supported; [n]\(reach == .many ? ", [-n], [a:b], [*]" : "") and ['name'] are")
    }

    /// At most nine digits, with or without a `-`.
    private static func number(_ text: ArraySlice<UInt8>) -> Int? {
        let digits = text.first == UInt8(ascii: "-") ? text.dropFirst() : text
        guard (1...9).contains(digits.count), digits.allSatisfy(JSONParser.isDigit) else { return nil }
        return Int(String(decoding: text, as: UTF8.self))
    }

    /// The positions of a slice of so many elements.
    package static func positions(lower: Int?, upper: Int?, of count: Int) -> Range<Int> {
        // The sum does not overflow: one number is below zero and the other is not.
        func place(_ bound: Int) -> Int { bound < 0 ? max(0, count + bound) : min(bound, count) }
        let (first, end) = (lower.map(place) ?? 0, upper.map(place) ?? count)
        return first..<max(first, end)
    }

    /// The value the path names, or nil where there is none.
    ///
    /// A JSON null is a value. A path with wildcards names none.
    package func select(in event: JSONView) -> JSONView? { Self.value(at: steps[...], in: event) }

    /// The value the path names; of a path with wildcards an array of all that it names, in order.
    ///
    /// Nil where there is none: before the first wildcard. What a wildcard leads to nowhere is left out.
    package func selection(in event: JSONView) -> JSONView? {
        guard let wildcard = steps.firstIndex(where: \.isMany) else { return select(in: event) }
        guard let start = Self.value(at: steps[..<wildcard], in: event) else { return nil }
        var found = [start]
        // Each step goes down, so that no value is found twice and the array is no longer than the event.
        for step in steps[wildcard...] { found = found.flatMap { Self.values(at: step, in: $0) } }
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
            guard !step.isMany, let next = values(at: step, in: current).first else { return nil }
            current = next
        }
        return current
    }

    private static func values(at step: Step, in value: JSONView) -> [JSONView] {
        switch step {
        case .member(let name): value[name].map { [$0] } ?? []
        case .element(let position):
            value[element: position < 0 && value.kind == .array ? value.count + position : position].map { [$0] } ?? []
        case .all: value.kind == .array ? Array(value.elements) : value.members.map(\.value)
        case .slice(let lower, let upper):
            Array(Array(value.elements)[positions(lower: lower, upper: upper, of: value.kind == .array ? value.count : 0)])
        }
    }
}
