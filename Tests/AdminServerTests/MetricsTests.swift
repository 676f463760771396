import AdminServer
import BrokerCore
import CremaTesting
import Foundation
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

        /// The family of a sample, whose name has an ending in histograms and summaries.
        static func family(of name: String, _ types: [String: String]) -> String {
            for ending in ["_bucket", "_sum", "_count"] where name.hasSuffix(ending) {
                let family = String(name.dropLast(ending.count))
                if ["histogram", "summary"].contains(types[family]) { return family }
            }
            return name
        }

        init(_ text: String) throws {
            #expect(text.hasSuffix("\n"))
            let name = /[a-zA-Z_:][a-zA-Z0-9_:]*/
            for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
                if let match = line.wholeMatch(of: /# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) \S.*/) {
                    #expect(helps.insert(String(match.1)).inserted, "HELP of \(match.1) twice")
                } else if let match = line.wholeMatch(of: /# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary)/) {
                    #expect(types.updateValue(String(match.2), forKey: String(match.1)) == nil, "TYPE of \(match.1) twice")
                } else {
                    let sample = /([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-z_]+="([^"\\\n]|\\[\\"n])*",?)*\})? (-?[0-9.]+(?:e[+-]?[0-9]+)?)/
                    let match = try #require(line.wholeMatch(of: sample), "not a valid line: \(line)")
                    let family = Self.family(of: String(match.1), types)
                    #expect(types[family] != nil && helps.contains(family), "a sample before its family: \(line)")
                    #expect(family.wholeMatch(of: name) != nil && (family.hasPrefix("crema_") || family.hasPrefix("process_")))
                    #expect(family.hasSuffix("_total") == (types[family] == "counter"), "\(family) is a \(types[family] ?? "")")
                    let key = String(match.1) + (match.2.map(String.init) ?? "")
                    #expect(samples.updateValue(try #require(Double(match.5)), forKey: key) == nil, "a sample twice: \(key)")
                }
            }
        }
    }

    @Test("Names, types and labels are those of the page of metrics, and the other way round")
    func page() async throws {
        let text = try await fullPage()
        let scrape = try Scrape(text)
        var served: [String: String] = [:]
        for (name, type) in scrape.types {
            var labels: Set<String> = []
            for key in scrape.samples.keys where Scrape.family(of: String(key.prefix { $0 != "{" }), scrape.types) == name {
                for match in key.matches(of: /([a-z_]+)="/) where match.1 != "le" { labels.insert(String(match.1)) }
            }
            served[name] = "\(type) \(labels.sorted())"
        }
        let described = try Self.describedMetrics()
        for name in Set(served.keys).union(described.keys).sorted() { #expect(served[name] == described[name], "\(name)") }
        #expect(served.count > 90)
    }

    /// What the page says: type and labels by name.
    private static func describedMetrics() throws -> [String: String] {
        let file = LimitPage.path.replacing("/Limits.md", with: "/Metrics.md")
        var described: [String: String] = [:]
        for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.filter { $0 != "`" && $0 != " " } }
            let labels = cells[2] == "–" ? [] : cells[2].split(separator: ",").map(String.init).sorted()
            #expect(described.updateValue("\(cells[1]) \(labels)", forKey: cells[0]) == nil, "\(cells[0]) stands twice")
        }
        return described
    }

    /// A page on which every family has a sample.
    private func fullPage(headers: HTTPFields = [:]) async throws -> String {
        var statistics = BrokerStatistics()
        let reasons: [WritableKeyPath<BrokerStatistics, [String: UInt64]>] = [
            \.connectionsRefused, \.connectionsClosed, \.connectionsTurnedAway, \.passwordChecks, \.messagesDropped,
        ]
        for path in reasons { statistics[keyPath: path] = ["reason": 1] }
        statistics.eventLoopLagSeconds = [0.001, 0.25]
        statistics.publishToDeliver.record(nanoseconds: 3_000_000, times: 4)
        var figures = ListenerFigures()
        (figures.connected, figures.handshakesFailed) = (3, 2)
        statistics.listeners = ["mqtts 0.0.0.0:8883": figures]
        var store = StoreStatistics(durability: "strict")
        store.commitLatency.record(nanoseconds: 1_000_000)
        var process = ProcessFigures()
        (process.cpuSeconds, process.openFilesMax) = (1.5, 1_024)
        let listener = OpenedListener(
            name: "mqtts 0.0.0.0:8883", protocol: "mqtts", address: "0.0.0.0:8883", isTLS: true, authentication: "client certificate",
            certificateNotAfter: 1_800_000_000)
        let http = OpenedListener(
            name: "http", protocol: "http", address: "127.0.0.1:8080", isTLS: false, authentication: "anonymous", connections: (7, 9, 2))
        let fixture = try InspectionFixture(
            broker: StagedBroker(statistics: statistics), requestCounts: [.init(handler: "put_events", status: 200, requests: 9)],
            store: store, site: SiteFigures(listeners: { [listener, http] }, process: { [process] in process }))
        try fixture.putEvents()
        return try await fixture.get("/metrics", headers: headers).text
    }

    @Test func histogramsAreCumulativeAndTheirLastBucketHasAll() async throws {
        let scrape = try Scrape(try await fullPage())
        #expect(scrape.samples[#"crema_publish_to_deliver_seconds_bucket{le="0.0025"}"#] == 0)
        #expect(scrape.samples[#"crema_publish_to_deliver_seconds_bucket{le="0.005"}"#] == 4)
        #expect(scrape.samples[#"crema_publish_to_deliver_seconds_bucket{le="30.0"}"#] == 4)
        #expect(scrape.samples[#"crema_publish_to_deliver_seconds_bucket{le="+Inf"}"#] == 4)
        #expect(scrape.samples["crema_publish_to_deliver_seconds_count"] == 4)
        #expect(scrape.samples["crema_publish_to_deliver_seconds_sum"] == 0.012)
        let listener = #"listener="mqtts 0.0.0.0:8883",bind="0.0.0.0:8883""#
        #expect(scrape.samples["crema_listener_connections{\(listener)}"] == 3)
        #expect(scrape.samples[#"crema_listener_full_total{listener="http",bind="127.0.0.1:8080"}"#] == 2)
        #expect(scrape.samples["crema_listener_full_total{\(listener)}"] == nil)
        #expect(scrape.samples["crema_tls_handshakes_total{\(listener),outcome=\"failed\"}"] == 2)
        #expect(scrape.samples["crema_certificate_not_after_seconds{\(listener)}"] == 1_800_000_000)
        #expect(scrape.samples[#"crema_event_loop_lag_seconds{loop="1"}"#] == 0.25)
        #expect(scrape.samples["process_max_fds"] == 1_024)
    }

    @Test func openMetricsIsForWhoeverAsksForIt() async throws {
        let text = try await fullPage(headers: [.accept: "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"])
        #expect(text.hasSuffix("# EOF\n"))
        #expect(text.contains("# TYPE crema_messages_received counter\ncrema_messages_received_total{qos=\"0\"} 0\n"))
        for line in text.split(separator: "\n") where line.hasSuffix(" counter") { #expect(!line.contains("_total "), "\(line)") }
        #expect(try await !fullPage().contains("# EOF"))
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
