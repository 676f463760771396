import BrokerCore
import CremaTesting
import Documents
import Records
import Rules
import Testing

@testable import EventBus

/// What the store has and a start cannot put in force: it stays, and comes back when it can, unless somebody deletes it.
@Suite struct LeftOutTests {
    private let store = RecordsInMemory()

    private func json(_ text: String) throws -> JSONView { try JSONDocument(parsing: Array(text.utf8)).root }

    /// A rule by API whose target is an API destination, with one delivery that waits.
    private func siteWithDelivery() throws -> KeptSite {
        let site = try KeptSite(store)
        let arn = try site.control.createConnection(
            ConnectionRequest(name: "login", authorizationType: "API_KEY", parameters: try json(ConnectionSite.key("s3cret")))
        ).arn
        let destination = try site.control.createDestination(
            APIDestinationRequest(name: "till", connectionARN: arn, endpoint: "https://till.example/*", method: "POST"))
        _ = try site.control.putRule(NewRule(name: "r", pattern: #"{"source":["till"]}"#))
        try site.putTarget(#"{"Id":"t","Arn":"\#(destination.arn)","HttpParameters":{"PathParameterValues":["1"]}}"#, to: "r")
        _ = try site.control.delivery.putEvents([PutEventsEntry(source: "till", detailType: "d", detail: Array("{}".utf8))])
        #expect(store.records(of: .delivery).count == 1)
        return site
    }

    private func restored(_ site: KeptSite) throws -> [Int] {
        let (waiting, gone) = try site.control.delivery.pending.restore(store.records, now: Instant(nanoseconds: 0))
        site.control.delivery.pending.begin(alarm: { _ in }, door: nil, publish: { $1(true) })
        return [waiting, gone, site.control.delivery.pending.leftForNextStart]
    }

    @Test func theTargetsOfADestinationThatCannotBeReadStayAndSoDoTheirDeliveries() throws {
        _ = try siteWithDelivery()
        let record = try #require(store.records(of: .apiDestination).first)
        // As where the configuration does not allow its address any more.
        let text = String(decoding: record.fields, as: UTF8.self)
        #expect(text.contains("https://till.example/*"))
        store.append([.put(KeptRecord(record.key, replaced(record.fields, "https://till", "ftp://x.till")))])
        let next = try KeptSite(store)
        #expect(next.leftOut.count == 2)
        #expect(try next.control.targets(ofRule: "r", onBus: "default").count == 1)
        #expect(try restored(next) == [0, 0, 1] && store.records(of: .delivery).count == 1)
        // A change writes the rule with its target.
        try next.control.setRule("r", onBus: "default", enabled: false)
        try next.control.setRule("r", onBus: "default", enabled: true)
        store.append([.put(record)])
        let last = try KeptSite(store)
        #expect(last.leftOut == [])
        #expect(try restored(last) == [1, 0, 0])
    }

    @Test func theDeliveriesOfADestinationThatWasDeletedFail() throws {
        let site = try siteWithDelivery()
        let record = try #require(store.records(of: .delivery).first)
        try site.control.deleteDestination("till")
        store.append([.put(record)])
        let next = try KeptSite(store)
        #expect(try restored(next) == [0, 0, 0] && store.records(of: .delivery).isEmpty)
        // The site before may have given its own up, too, and kept that.
        #expect(Set(next.events.engine.deadLetters(limit: 9).map(\.errorCode)) == ["NO_RESOURCE"])
    }

    @Test func theDeliveriesOfARuleThatIsLeftOutStay() throws {
        _ = try siteWithDelivery()
        let declared = ControlFixture.template.replacing("Name: declared", with: "Name: r")
        let next = try KeptSite(store, declared)
        #expect(next.leftOut.count == 1)
        #expect(try restored(next) == [0, 0, 1] && store.records(of: .delivery).count == 1)
        #expect(try restored(KeptSite(store)) == [1, 0, 0])
    }

    @Test func whatIsLeftOutOfABusIsGoneWhenItIsDeleted() throws {
        let site = try KeptSite(store)
        _ = try site.control.createBus("made", ResourceDetails())
        _ = try site.control.putRule(NewRule(name: "one", bus: "made", pattern: #"{"source":["a"]}"#))
        _ = try site.control.putRule(NewRule(name: "two", bus: "made", pattern: #"{"source":["a"]}"#))
        store.append([.remove(RecordKey(.bus, "made"))])
        let next = try KeptSite(store)
        #expect(next.leftOut.count == 2)
        _ = try next.control.createBus("made", ResourceDetails())
        try next.control.deleteRule("one", onBus: "made")
        #expect(store.records(of: .eventRule).count == 1)
        try next.control.deleteBus("made")
        #expect(store.records.isEmpty)
    }

    @Test func whatIsNewDoesNotTakeThePlaceOfWhatIsLeftOut() throws {
        let site = try KeptSite(store)
        for name in ["one", "declared-too"] { _ = try site.control.putRule(NewRule(name: name, pattern: #"{"source":["a"]}"#)) }
        let declared = ControlFixture.template.replacing("Name: declared", with: "Name: declared-too")
        let next = try KeptSite(store, declared)
        _ = try next.control.putRule(NewRule(name: "new", pattern: #"{"source":["a"]}"#))
        let last = try KeptSite(store)
        let names = last.events.engine.ruleStatistics().map(\.name)
        #expect(names.filter { ["one", "declared-too", "new"].contains($0) } == ["one", "declared-too", "new"])
    }

    /// Other bytes of the same length.
    private func replaced(_ fields: [UInt8], _ text: String, _ other: String) -> [UInt8] {
        precondition(text.utf8.count == other.utf8.count)
        var fields = fields
        guard let place = fields.indices.first(where: { fields[$0...].starts(with: text.utf8) }) else { return fields }
        fields.replaceSubrange(place..<place + text.utf8.count, with: other.utf8)
        return fields
    }
}
