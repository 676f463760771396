/// What the YAML parser complains of, with what to do about it.
///
/// The parser's words name what it expected next, which is far from the mistake that people make. Its complaints that are not here
/// are passed on as they are.
enum SyntaxComplaint {
    private static let advice = [
        "found character that cannot start any token":
            "indentation is made of spaces, not of tabs, and a text that begins with @, %, a backquote or a tab stands in quotation marks",
        "did not find expected ',' or '}'": "a { above is not closed, or a comma is missing",
        "did not find expected ',' or ']'": "a [ above is not closed, or a comma is missing",
        "did not find expected key": "the line is not indented as its neighbours are, or a quotation mark above is not closed",
        "did not find expected '-' indicator": "an element of the list is not indented as the others are",
        "mapping values are not allowed in this context":
            "the line is indented deeper than its neighbours, or a text with `: ` in it stands without quotation marks",
        "could not find expected ':'": "a key stands without its colon, or the line belongs to the one above and is not indented",
        "found unexpected end of stream": "a quotation mark above is not closed",
        "found undefined alias": "a text that begins with * is an alias unless it stands in quotation marks",
        "but found another document": "one file is one document, so there may be no second `---`",
    ]

    /// The complaint as it is shown.
    static func text(_ complaint: String) -> String {
        guard let advice = advice[complaint] else { return complaint }
        return "\(complaint): \(advice)"
    }
}
