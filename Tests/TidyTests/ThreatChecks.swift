/// Path of the page that says, for each class of attack, what keeps it out and which tests show that.
let threatsArticle = "Sources/BrokerCore/Documentation.docc/Threats.md"

/// Rows of the list of threats.
let threatsOfBrokers = Set(1...65)

/// One row of the page.
private struct ThreatRow {
    var line: Int
    var number: Int
    var guards: [String]
    var tests: [String]
}

/// What is wrong between the page of threats and the tests: rows that are missing or twice, files that are not there, tests that do not name
/// their row, and tests of rows that the page does not have.
func brokenThreats(_ files: [TextFile], wanted: Set<Int>) -> [Finding] {
    guard let article = files.first(where: { $0.path == threatsArticle }) else {
        return [Finding(path: threatsArticle, reason: "is not there")]
    }
    let rows = threatRows(article)
    var findings: [Finding] = []
    var seen = Set<Int>()
    let paths = Set(files.map(\.path))
    let named = Dictionary(
        files.filter { $0.path.hasPrefix("Tests/") && !$0.path.hasPrefix("Tests/TidyTests/") }.map { ($0.path, threatNumbers($0.text)) },
        uniquingKeysWith: { first, _ in first })
    for row in rows {
        func object(_ reason: String) { findings.append(Finding(path: article.path, line: row.line, reason: reason)) }
        if !seen.insert(row.number).inserted { object("row \(row.number) is there twice") }
        if row.guards.isEmpty || row.tests.isEmpty { object("row \(row.number) has no guard or no test") }
        for path in row.guards where !paths.contains(path) { object("\(path) is not there") }
        for path in row.tests where named[path]?.contains(row.number) != true { object("\(path) has no test of threat \(row.number)") }
    }
    for number in wanted.subtracting(seen).sorted() { findings.append(Finding(path: article.path, reason: "row \(number) is missing")) }
    for (path, numbers) in named.sorted(by: { $0.key < $1.key }) {
        for number in numbers.sorted() where rows.first(where: { $0.number == number })?.tests.contains(path) != true {
            findings.append(Finding(path: path, reason: "is not among the tests of threat \(number) in \(threatsArticle)"))
        }
    }
    return findings
}

private func threatRows(_ article: TextFile) -> [ThreatRow] {
    article.lines.enumerated().compactMap { index, line in
        let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map(\.trimmed)
        guard cells.count == 4, let number = Int(cells[0]) else { return nil }
        func paths(_ cell: Substring, below folder: String) -> [String] {
            cell.split(separator: " ").map { folder + $0.filter { $0 != "`" } }
        }
        return ThreatRow(
            line: index + 1, number: number, guards: paths(cells[2], below: "Sources/"), tests: paths(cells[3], below: "Tests/"))
    }
}

/// The numbers in `Threat 7`, `Threats 9 and 10`, `Threats 1, 2, 11`.
private func threatNumbers(_ text: String) -> Set<Int> {
    var numbers = Set<Int>()
    for match in text.matches(of: #/[Tt]hreats? ([0-9]+(?:(?:, | and )[0-9]+)*)/#) {
        numbers.formUnion(match.1.split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) })
    }
    return numbers
}
