/// Why a pattern matches an event or misses it, field by field.
package struct PatternExplanation: Sendable, Equatable, CustomStringConvertible {
    /// What came of one field of the pattern.
    package struct Field: Sendable, Equatable {
        package enum Finding: Sendable, Equatable {
            /// A value meets one of the conditions; both as JSON.
            case met(value: String, condition: String)
            /// `exists: false` holds: there is no value.
            case metByAbsence
            /// There is no value, and one is wanted.
            case missing
            /// There is an object or an empty array; only scalars are values.
            case noScalar
            /// There are values, and none meets any of the conditions.
            case unmet
        }

        /// Dots between its names.
        package let path: String
        /// The conditions, any of which suffices, as JSON.
        package let wanted: [String]
        /// The first of the values found, as JSON, at most ``valuesShownMax``.
        package let found: [String]
        /// How many values there are.
        package let foundCount: Int
        package let finding: Finding

        package var isMet: Bool {
            switch finding {
            case .met, .metByAbsence: true
            case .missing, .noScalar, .unmet: false
            }
        }
    }

    /// One way to match: all its fields at once.
    ///
    /// A pattern has one, with `$or` several.
    package struct Alternative: Sendable, Equatable {
        package let fields: [Field]
        package let matches: Bool

        /// Whether each field is met, but only by values in different elements of one array.
        package var needsTwoElements: Bool { !matches && fields.allSatisfy(\.isMet) }
    }

    package static let valuesShownMax = 5

    /// Any of them suffices.
    package let alternatives: [Alternative]

    package var matches: Bool { alternatives.contains(where: \.matches) }

    /// Lines for people.
    package var description: String {
        var lines = [matches ? "matches" : "does not match"]
        for (number, alternative) in alternatives.enumerated() {
            let indent = alternatives.count > 1 ? "    " : "  "
            if alternatives.count > 1 {
                lines.append("  alternative \(number + 1) of \(alternatives.count): \(alternative.matches ? "matches" : "does not match")")
            }
            for field in alternative.fields { lines.append(indent + field.description) }
            if alternative.needsTwoElements {
                lines.append("\(indent)but not together: the values lie in different elements of one array")
            }
        }
        return lines.joined(separator: "\n")
    }
}

extension PatternExplanation.Field: CustomStringConvertible {
    /// One line for people.
    package var description: String {
        switch finding {
        case .met(let value, let condition): "ok    \(path): \(value) meets \(condition)"
        case .metByAbsence: "ok    \(path): is missing, as {\"exists\":false} wants it"
        case .missing: "MISS  \(path): is missing; wanted \(wantedText)"
        case .noScalar: "MISS  \(path): holds an object or an empty array, which is no value; wanted \(wantedText)"
        case .unmet: "MISS  \(path): found \(foundText); wanted \(wantedText)"
        }
    }

    private var wantedText: String { wanted.joined(separator: " or ") }

    private var foundText: String {
        found.joined(separator: ", ") + (foundCount > found.count ? " and \(foundCount - found.count) more" : "")
    }
}
