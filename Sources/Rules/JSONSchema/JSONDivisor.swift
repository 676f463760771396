/// `multipleOf`: compared as decimal numbers, in which 0.3 is three times 0.1.
package struct JSONDivisor: Sendable {
    private let number: SQLNumber

    /// Nil for what is no number above zero.
    package init?(_ text: String) {
        guard let spelling = try? JSONDocument(parsing: Array(text.utf8)).root.numberText,
            let number = SQLNumber(ArraySlice(spelling.utf8)), !number.isNegative, number.coefficient != 0
        else { return nil }
        self.number = number
    }

    /// Whether a number, as JSON spells it, is a whole multiple.
    ///
    /// Numbers so far apart that they do not fit 38 digits together are none.
    func divides(_ spelling: String) -> Bool {
        guard let value = SQLNumber(ArraySlice(spelling.utf8)), let rest = value % number else { return false }
        return rest.coefficient == 0
    }
}
