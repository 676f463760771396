/// A regular expression for others than the rules language: compiled once, searched for within a budget.
package struct TextPattern: Sendable {
    /// How many steps one search may take; one that takes more finds nothing.
    package static let stepsMax = 200_000

    /// Why a pattern is refused.
    package struct Problem: Error, Sendable {
        package let message: String
    }

    private let expression: RegularExpression

    /// Compiles an expression that must hold for a whole text, or for any part of it.
    package init(parsing text: String, isWhole: Bool) throws(Problem) {
        let pattern = isWhole ? "\\A(?:" + text + ")\\z" : text
        do throws(RegularExpressionProblem) { expression = try RegularExpression(parsing: ArraySlice(pattern.utf8)) } catch {
            throw Problem(message: error.message)
        }
    }

    package func matches(_ text: String) -> Bool { matches(text, steps: Self.stepsMax) }

    func matches(_ text: String, steps: Int) -> Bool {
        var steps = steps
        return matches(text, steps: &steps)
    }

    /// The same, with what is left of the steps: below zero where they did not suffice.
    func matches(_ text: String, steps: inout Int) -> Bool {
        expression.firstMatch(in: Array(text.unicodeScalars), from: 0, wantsGroups: false, steps: &steps) != nil
    }
}
