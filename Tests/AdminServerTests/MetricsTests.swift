import AdminServer
import BrokerCore
import Hummingbird
import HummingbirdTesting
import Testing

@Suite struct MetricsTests {
    /// One scrape, read back as Prometheus reads it.
    struct Scrape {
        var types: [String: String] = [:]
        var helps: Set<String> = []
        /// By name and labels, as written.
        var samples: [String: Double] = [:]

        init(_ text: String) throws {
            #expect(text.hasSuffix("\n"))
            let name = /[a-zA-Z_:][a-zA-Z0-9_:]*/
            for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
                if let match = line.wholeMatch(of: /# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) \S.*/) {
                    #expect(helps.insert(String(match.1)).inserted, "HELP of \(match.1) twice")
                } else if let match = line.wholeMatch(of: /# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge)/) {
                    #expect(types.updateValue(String(match.2), forKey: String(match.1)) == nil, "TYPE of \(match.1) twice")
                } else {
                    let sample = /([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-z_]+="([^"\\\n]|\\[\\"n])*",?)*\})? (-?[0-9.]+)/
                    let match = try #require(line.wholeMatch(of: sample), "not a valid line: \(line)")
                    let family = String(match.1)
                    #expect(types[family] != nil && helps.contains(family), "a sample before its family: \(line)")
                    #expect(family.wholeMatch(of: name) != nil && family.hasPrefix("crema_"))
                    #expect(family.hasSuffix("_total") == (types[family] == "counter"), "\(family) is a \(types[family] ?? "")")
                    let key = family + (match.2.map(String.init) ?? "")
                    #expect(samples.updateValue(try #require(Double(match.5)), forKey: key) == nil, "a sample twice: \(key)")
                }
            }
        }
    }

    @Test func everyLineIsValidAndEveryFamilyIsDescribed() async throws {
        var statistics = BrokerStatistics()
        statistics.connectionsRefused = ["bad_protocol": 2, "quote\" back\\slash\nline": 1]
        statistics.connectionsClosed = ["keep_alive_timeout": 3]
        statistics.publishReceived = [10, 20, 30]
        statistics.clientsConnected = 4
        statistics.messagesDropped = ["queue_full": 5]
        let fixture = try InspectionFixture(
            broker: StagedBroker(statistics: statistics), requestCounts: [.init(handler: "put_events", status: 200, requests: 9)])
        try fixture.putEvents()
        let response = try await fixture.get("/metrics")
        #expect(response.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
        let scrape = try Scrape(response.text)
        #expect(Set(scrape.types.keys) == scrape.helps)
        #expect(scrape.samples[#"crema_build_info{version="1.2.3"}"#] == 1)
        #expect(scrape.samples["crema_ready"] == 0)
        #expect(scrape.samples[#"crema_clients{state="connected"}"#] == 4)
        #expect(scrape.samples[#"crema_connections_refused_total{reason="bad_protocol"}"#] == 2)
        #expect(scrape.samples[#"crema_connections_refused_total{reason="quote\" back\\slash\nline"}"#] == 1)
        #expect(scrape.samples[#"crema_messages_received_total{qos="2"}"#] == 30)
        #expect(scrape.samples[#"crema_messages_dropped_total{reason="queue_full"}"#] == 5)
        #expect(scrape.samples["crema_events_accepted_total"] == 2)
        #expect(scrape.samples[#"crema_http_requests_total{handler="put_events",code="200"}"#] == 9)
        let rule = try #require(scrape.samples.first { $0.key.hasPrefix("crema_rule_failed_total{bus=\"default\",kind=\"event\",rule=") })
        #expect(rule.value == 1)
    }

    @Test("Threat 54: neither clients nor topics are labels, whatever they are called and however many there are")
    func labelsAreBounded() async throws {
        let clients = (0..<500).map { number in
            ClientSummary(
                clientID: "client-\(number)", connected: true, principal: "principal-\(number)", userName: "user-\(number)", peer: "peer",
                listener: "listener", protocolVersion: "5", cleanSession: true, keepAliveSeconds: 0, connectedSeconds: 0, subscriptions: 1,
                queued: 0, inFlight: 0, drops: ["queue_full": 1])
        }
        let topics = (0..<500).map { TopicSummary(topic: "topic-\($0)", messages: 1, bytes: 1, lastSeenSeconds: 0, retained: true) }
        let page = try await InspectionFixture(broker: StagedBroker(clients: clients, topics: topics)).get("/metrics").text
        for name in ["client-", "principal-", "user-", "topic-"] { #expect(!page.contains(name)) }
        let quiet = try await InspectionFixture().get("/metrics").text
        #expect(page.split(separator: "\n").count == quiet.split(separator: "\n").count)
    }

    @Test func anIdleBrokerHasEveryFamilyToo() async throws {
        let idle = try Scrape(try await InspectionFixture().get("/metrics").text)
        let busy = try InspectionFixture(requestCounts: [.init(handler: "route", status: 404, requests: 1)])
        try busy.putEvents()
        #expect(idle.types == (try Scrape(try await busy.get("/metrics").text)).types)
    }
}
