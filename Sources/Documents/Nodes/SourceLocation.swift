/// Where something was written: what an operator needs to find and mend it.
package struct SourceLocation: Sendable, Hashable, CustomStringConvertible {
    /// The path as the operator gave it, or the name of an environment variable.
    package var file: String
    /// One-based; 0 where the source has no lines (an environment variable, a whole file).
    package var line: Int
    /// One-based, in characters; 0 where the source has no lines.
    package var column: Int

    package init(file: String, line: Int = 0, column: Int = 0) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `file:line:column`, the form that editors and terminals turn into a link.
    package var description: String { line == 0 ? file : "\(file):\(line):\(column)" }
}
