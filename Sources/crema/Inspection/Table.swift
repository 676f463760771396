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

    /// The lines, headings first; `style` decides what a style does to a text.
    func lines(styled style: (String, TerminalOutput.Style) -> String) -> [String] {
        let widths = columns.indices.map { index in
            rows.reduce(columns[index].title.count) { max($0, $1[index].text.count) }
        }
        let heading = columns.map { Cell($0.title, style: .bold) }
        return ([heading] + rows).map { cells in
            var line = ""
            for (index, cell) in cells.enumerated() {
                if index > 0 { line += "  " }
                let padding = String(repeating: " ", count: max(0, widths[index] - cell.text.count))
                let text = cell.style.map { style(cell.text, $0) } ?? cell.text
                let isLast = index == cells.count - 1
                switch columns[index].alignment {
                case .left: line += isLast ? text : text + padding
                case .right: line += padding + text
                }
            }
            return line
        }
    }

    func write(to output: TerminalOutput) throws(OutputClosed) {
        for line in lines(styled: output.styled) { try output.write(line: line) }
    }
}
