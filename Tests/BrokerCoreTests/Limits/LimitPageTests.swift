import BrokerCore
import CremaTesting
import Foundation
import Testing

/// The page of limits says what ``BrokerLimits`` and the table of tests say.
@Suite struct LimitPageTests {
    private func page() throws -> LimitPage { LimitPage(text: try String(contentsOfFile: LimitPage.path, encoding: .utf8)) }

    @Test("Every limit of MQTT stands on the page once, with its default")
    func defaults() throws {
        #expect(try page().differences(of: nil, from: BrokerLimits(), BrokerLimits.names) == [])
        #expect(try page().rows(of: .eventLoops).map(\.name) == ["eventLoopsMax"])
    }

    @Test("The counter on the page is the one that the limit's test has seen", arguments: LimitRow.all)
    func counters(row: LimitRow) throws {
        let counted = ["closed: ", "refused: ", "turned away: ", "dropped: "]
        let seen = row.beyond.split(separator: ", ").filter { part in counted.contains { part.hasPrefix($0) } }
        let text = try #require(page().rows.first { $0.name == row.name }?.text)
        for counter in seen { #expect(text.contains(counter)) }
        if row.beyond.contains("subscription refused") { #expect(text.contains("crema_subscriptions_refused_total")) }
        if row.beyond == "throttled" { #expect(text.contains("crema_publishers_throttled_total")) }
    }
}
