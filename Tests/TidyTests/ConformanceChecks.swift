/// One of the MQTT standards, as its table in the documentation must hold it.
struct ConformanceStandard: Sendable {
    /// Path of the table's article.
    var article: String
    /// What ids begin with.
    var prefix: String
    /// How many statements the standard's appendix B lists.
    var count: Int
    /// Sections whose first statement is not number 1.
    var firstNumbers: [String: Int] = [:]
    /// Whether a row may still say `not yet`.
    var allowsNotYet: Bool

    static let mqtt311 = ConformanceStandard(
        article: "Sources/MQTTCodec/Documentation.docc/Conformance-3.1.1.md", prefix: "MQTT-", count: 141, allowsNotYet: false)
    static let mqtt5 = ConformanceStandard(
        article: "Sources/MQTTCodec/Documentation.docc/Conformance-5.md", prefix: "MQTT5-", count: 251, firstNumbers: ["2.2.1": 2],
        allowsNotYet: false)
}

/// One row of such a table.
struct ConformanceRow: Equatable {
    enum Status: String {
        case enforced
        case client
        case notOffered = "not offered"
        case whole
        case notYet = "not yet"
    }

    var line: Int
    var id: String
    var binds: String
    var words: String
    var status: Status?
    var sources: [String]
    var tests: [String]
}

/// The rows of the table in an article: those that begin with an id.
func conformanceRows(_ article: TextFile) -> [ConformanceRow] {
    article.lines.enumerated().compactMap { index, line in
        guard line.hasPrefix("| MQTT") else { return nil }
        let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map { String($0.trimmed) }
        guard cells.count == 6 else { return ConformanceRow(line: index + 1, id: "", binds: "", words: "", sources: [], tests: []) }
        let paths = cells[4...].map { $0.split(separator: " ").map { String($0.filter { $0 != "`" }) } }
        return ConformanceRow(
            line: index + 1, id: cells[0], binds: cells[1], words: cells[2], status: ConformanceRow.Status(rawValue: cells[3]),
            sources: paths[0].map { "Sources/" + $0 }, tests: paths[1].map { "Tests/" + $0 })
    }
}

/// What is wrong between the table of one standard and the code: rows that are missing or not well-formed, statements that are called
/// enforced and are not, and ids in the code that the table does not know.
func brokenConformance(_ standard: ConformanceStandard, in files: [TextFile]) -> [Finding] {
    guard let article = files.first(where: { $0.path == standard.article }) else {
        return [Finding(path: standard.article, reason: "is not there")]
    }
    let rows = conformanceRows(article)
    let citations = statementCitations(files.filter(\.citesStatements))
    let known = Set(rows.map(\.id))
    let unknown = citations.filter { $0.key.hasPrefix(standard.prefix) && !known.contains($0.key) }.sorted { $0.key < $1.key }
    return missingStatements(rows, of: standard)
        + rows.flatMap { row in
            problems(with: row, of: standard, citedIn: citations[row.id] ?? [])
                .map { Finding(path: article.path, line: row.line, reason: "\(row.id): \($0)") }
        }
        + unknown.flatMap { id, paths in paths.sorted().map { Finding(path: $0, reason: "\(id) is not in \(article.path)") } }
}

/// The statements that nothing keeps, or nothing shows, so far.
func statementsNotYet(_ article: TextFile) -> [String] {
    conformanceRows(article).filter { $0.status == .notYet }.map(\.id)
}

/// Rows that are not there: the numbers of a section run from its first without a gap, and their sum is known.
private func missingStatements(_ rows: [ConformanceRow], of standard: ConformanceStandard) -> [Finding] {
    var found: [Finding] = []
    if rows.count != standard.count {
        found.append(Finding(path: standard.article, reason: "\(rows.count) statements, and the standard has \(standard.count)"))
    }
    var last: (section: Substring, number: Int) = ("", 0)
    for row in rows {
        guard let id = row.id.wholeMatch(of: #/MQTT5?-([1-9]\.[0-9]{1,2}\.[0-9])-([1-9][0-9]?)/#), row.id.hasPrefix(standard.prefix),
            let number = Int(id.2)
        else {
            found.append(Finding(path: standard.article, line: row.line, reason: "no row of six cells with an id \(standard.prefix)…"))
            continue
        }
        let expected = id.1 == last.section ? last.number + 1 : standard.firstNumbers[String(id.1)] ?? 1
        if number != expected {
            found.append(Finding(path: standard.article, line: row.line, reason: "\(row.id) where \(id.1)-\(expected) was expected"))
        }
        last = (id.1, number)
    }
    return found
}

private func problems(with row: ConformanceRow, of standard: ConformanceStandard, citedIn cited: Set<String>) -> [String] {
    var found: [String] = []
    if !["server", "client", "both"].contains(row.binds) { found.append("binds server, client or both, not '\(row.binds)'") }
    if row.words.isEmpty || row.words.count > 120 { found.append("needs words of its own, at most 120 characters") }
    switch row.status {
    case nil: found.append("has none of the statuses that the article lists")
    case .enforced:
        if row.sources.isEmpty { found.append("is enforced, and no file below Sources is named") }
        if row.tests.isEmpty { found.append("is enforced, and no file below Tests is named") }
        found += (row.sources + row.tests).filter { !cited.contains($0) }.map { "\($0) does not carry the id" }
    case .notYet:
        if !standard.allowsNotYet { found.append("must not wait any longer") }
    case .client:
        if row.binds != "client" { found.append("binds more than clients") }
    case .notOffered, .whole:
        found += cited.sorted().filter { $0.hasPrefix("Sources/") }.map { "\($0) carries the id: it is enforced" }
    }
    if row.status != .enforced && !(row.sources + row.tests).isEmpty { found.append("names files, and is not called enforced") }
    return found
}

extension TextFile {
    /// Code and test vectors, which carry ids; the checks on the checks do not count.
    fileprivate var citesStatements: Bool {
        (path.hasPrefix("Sources/") || path.hasPrefix("Tests/")) && !path.hasPrefix("Tests/TidyTests/")
            && [".swift", ".json", ".py"].contains { path.hasSuffix($0) }
    }
}

extension Substring {
    var trimmed: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}

/// Which files carry which ids, in brackets or, in test vectors, without.
func statementCitations(_ files: [TextFile]) -> [String: Set<String>] {
    var found: [String: Set<String>] = [:]
    for file in files {
        let bytes = Array(file.text.utf8)
        var position = 0
        while let start = bytes[position...].firstIndex(of: UInt8(ascii: "M")) {
            var end = start
            while end < bytes.count, isOfAnID(bytes[end]) { end += 1 }
            position = max(end, start + 1)
            let word = String(decoding: bytes[start..<end], as: UTF8.self)
            guard word.hasPrefix("MQTT-") || word.hasPrefix("MQTT5-") else { continue }
            guard let id = word.prefixMatch(of: #/MQTT5?-[0-9]+\.[0-9]+\.[0-9]+-[0-9]+/#) else { continue }
            found[String(id.0), default: []].insert(file.path)
        }
    }
    return found
}

private func isOfAnID(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "M"), UInt8(ascii: "Q"), UInt8(ascii: "T"), UInt8(ascii: "-"), UInt8(ascii: "."): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: false
    }
}
