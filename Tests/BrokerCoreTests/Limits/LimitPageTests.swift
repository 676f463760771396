import BrokerCore
import Foundation
import Testing

/// The page of limits says what ``BrokerLimits`` and the table of tests say.
@Suite struct LimitPageTests {
    private struct Row {
        var name: String
        var value: String
        var text: String
    }

    /// The rows that begin with a name and a number.
    private func rows() throws -> [Row] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../..").standardized
        let page = try String(contentsOf: root.appendingPathComponent("Sources/BrokerCore/Documentation.docc/Limits.md"), encoding: .utf8)
        return page.split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 4, cells[0].hasPrefix("`") else { return nil }
            return Row(
                name: cells[0].trimmingCharacters(in: ["`"]), value: cells[1].replacingOccurrences(of: ",", with: ""), text: String(line))
        }
    }

    @Test("Every limit stands on the page once, with its default")
    func defaults() throws {
        let rows = try rows()
        #expect(rows.map(\.name).sorted() == BrokerLimits.names.map(\.name).sorted())
        let limits = BrokerLimits()
        for (name, path) in BrokerLimits.names {
            let value = limits[keyPath: path]
            #expect(rows.first { $0.name == name }?.value == (value == .max ? "none" : "\(value)"), "\(name)")
        }
    }

    @Test("The counter on the page is the one that the limit's test has seen", arguments: LimitRow.all)
    func counters(row: LimitRow) throws {
        let counted = ["closed: ", "refused: ", "turned away: ", "dropped: "]
        let seen = row.beyond.split(separator: ", ").filter { part in counted.contains { part.hasPrefix($0) } }
        let text = try #require(rows().first { $0.name == row.name }?.text)
        for counter in seen { #expect(text.contains(counter)) }
        if row.beyond.contains("subscription refused") { #expect(text.contains("crema_subscriptions_refused_total")) }
        if row.beyond == "throttled" { #expect(text.contains("crema_publishers_throttled_total")) }
    }
}
