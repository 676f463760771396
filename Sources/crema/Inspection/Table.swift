/// Rows under a heading, in columns that line up.
struct Table {
    enum Alignment {
        case left
        case right
    }

    struct Column {
        let title: String
        let alignment: Alignment
    }

    struct Cell {
        let text: String
        let style: TerminalOutput.Style?

        /// Escapes the text, which may come from the wire.
        init(_ text: String, style: TerminalOutput.Style? = nil) {
            self.text = text.isEmpty ? "-" : TerminalText.escaped(text)
            self.style = style
        }

        init(_ number: some BinaryInteger, style: TerminalOutput.Style? = nil) {
            text = String(number)
            self.style = style
        }
    }

    let columns: [Column]
    private(set) var rows: [[Cell]] = []

    init(_ columns: KeyValuePairs<String, Alignment>) {
        self.columns = columns.map { Column(title: $0.key, alignment: $0.value) }
    }

    mutating func add(_ cells: [Cell]) {
        precondition(cells.count == columns.count, "one cell for each column")
        rows.append(cells)
    }

    /// Characters that a column keeps, however narrow the terminal is.
    static let clippedWidthMin = 12

    /// The lines, headings first; `style` decides what a style does to a text.
    ///
    /// Where they are wider than `width`, texts in the widest columns on the left are cut, and end with `…`.
    func lines(width: Int? = nil, styled style: (String, TerminalOutput.Style) -> String) -> [String] {
        let widths = widths(within: width)
        let heading = columns.map { Cell($0.title, style: .bold) }
        return ([heading] + rows).map { cells in
            var line = ""
            for (index, cell) in cells.enumerated() {
                if index > 0 { line += "  " }
                let shown = cell.text.count > widths[index] ? cell.text.prefix(widths[index] - 1) + "…" : cell.text
                let padding = String(repeating: " ", count: max(0, widths[index] - shown.count))
                let text = cell.style.map { style(shown, $0) } ?? shown
                let isLast = index == cells.count - 1
                switch columns[index].alignment {
                case .left: line += isLast ? text : text + padding
                case .right: line += padding + text
                }
            }
            return line
        }
    }

    private func widths(within width: Int?) -> [Int] {
        var widths = columns.indices.map { index in
            rows.reduce(columns[index].title.count) { max($0, $1[index].text.count) }
        }
        guard let width else { return widths }
        var excess = widths.reduce(2 * (widths.count - 1), +) - width
        while excess > 0 {
            let clippable = columns.indices.filter { columns[$0].alignment == .left && widths[$0] > Self.clippedWidthMin }
            guard let widest = clippable.max(by: { widths[$0] < widths[$1] }) else { break }
            let next = clippable.filter { $0 != widest }.map { widths[$0] }.max() ?? 0
            // Down to the next widest at once, and one more where both are as wide.
            let cut = min(excess, max(1, widths[widest] - max(next, Self.clippedWidthMin)))
            widths[widest] -= cut
            excess -= cut
        }
        return widths
    }

    func write(to output: TerminalOutput) throws(OutputClosed) {
        for line in lines(width: output.width, styled: output.styled) { try output.write(line: line) }
    }
}
