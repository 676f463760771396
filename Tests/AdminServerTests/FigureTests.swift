import BrokerCore
import Documents
import Queues
import Testing

@testable import AdminServer
@testable import EventBus

/// Each figure stands under its own name, and none is left out.
@Suite struct FigureTests {
    /// A number that some part of the program counts, and the sample that shows it.
    private struct Row<Figures>: Sendable {
        let property: String
        let path: any PartialKeyPath<Figures> & Sendable
        let sample: String

        init(_ property: String, _ path: any PartialKeyPath<Figures> & Sendable, _ sample: String) {
            (self.property, self.path, self.sample) = (property, path, sample)
        }

        func set(_ number: Int, in figures: inout Figures) {
            if let path = path as? WritableKeyPath<Figures, Int> {
                figures[keyPath: path] = number
            } else if let path = path as? WritableKeyPath<Figures, UInt64> {
                figures[keyPath: path] = UInt64(number)
            } else if let path = path as? WritableKeyPath<Figures, Double> {
                figures[keyPath: path] = Double(number)
            } else if let path = path as? WritableKeyPath<Figures, [String: UInt64]> {
                figures[keyPath: path] = ["one": UInt64(number)]
            } else {
                Issue.record("\(property) is no number")
            }
        }
    }

    private static let broker: [Row<BrokerStatistics>] = [
        Row("uptimeSeconds", \.uptimeSeconds, "crema_uptime_seconds"),
        Row("clientsConnected", \.clientsConnected, #"crema_clients{state="connected"}"#),
        Row("clientsOffline", \.clientsOffline, #"crema_clients{state="offline"}"#),
        Row("clientsMaximum", \.clientsMaximum, "crema_clients_maximum"),
        Row("connectionsAccepted", \.connectionsAccepted, "crema_connections_accepted_total"),
        Row("connectionsRefused", \.connectionsRefused, #"crema_connections_refused_total{reason="one"}"#),
        Row("connectionsClosed", \.connectionsClosed, #"crema_connections_closed_total{reason="one"}"#),
        Row("connectionsTurnedAway", \.connectionsTurnedAway, #"crema_connections_turned_away_total{reason="one"}"#),
        Row("authenticationsFailed", \.authenticationsFailed, "crema_authentications_failed_total"),
        Row("passwordChecksWaiting", \.passwordChecksWaiting, "crema_password_checks_waiting"),
        Row("passwordChecks", \.passwordChecks, #"crema_password_checks_total{outcome="one"}"#),
        Row("subscriptions", \.subscriptions, "crema_subscriptions"),
        Row("retainedMessages", \.retainedMessages, "crema_retained_messages"),
        Row("retainedBytes", \.retainedBytes, "crema_retained_bytes"),
        Row("bytesReceived", \.bytesReceived, "crema_bytes_received_total"), Row("bytesSent", \.bytesSent, "crema_bytes_sent_total"),
        Row("packetsReceived", \.packetsReceived, "crema_packets_received_total"),
        Row("packetsSent", \.packetsSent, "crema_packets_sent_total"),
        Row("messagesDropped", \.messagesDropped, #"crema_messages_dropped_total{reason="one"}"#),
        Row("messagesQueued", \.messagesQueued, "crema_messages_queued"),
        Row("messagesInFlight", \.messagesInFlight, "crema_messages_in_flight"),
        Row("publishersThrottled", \.publishersThrottled, "crema_publishers_throttled_total"),
        Row("publishesRefused", \.publishesRefused, "crema_publishes_refused_total"),
        Row("publishBytesWaiting", \.publishBytesWaiting, "crema_publish_waiting_bytes"),
        Row("subscriptionsRefused", \.subscriptionsRefused, "crema_subscriptions_refused_total"),
        Row("topicsUntracked", \.topicsUntracked, "crema_topics_untracked_total"),
        Row("publishBytesReceived", \.publishBytesReceived, "crema_payload_bytes_received_total"),
        Row("publishBytesSent", \.publishBytesSent, "crema_payload_bytes_sent_total"),
        Row("connectsAccepted", \.connectsAccepted, #"crema_connects_total{result="accepted"}"#),
        Row("sessionsExpired", \.sessionsExpired, "crema_sessions_expired_total"),
        Row("sharedSubscriptions", \.sharedSubscriptions, "crema_shared_subscriptions"),
        Row("queuedBytes", \.queuedBytes, "crema_messages_queued_bytes"),
        Row("longestQueue", \.longestQueue, "crema_longest_queue_messages"), Row("slowClients", \.slowClients, "crema_slow_clients"),
    ]

    private static let events: [Row<EventBusCounters>] = [
        Row("eventsAccepted", \.eventsAccepted, "crema_events_accepted_total"),
        Row("eventsDroppedUnknownBus", \.eventsDroppedUnknownBus, #"crema_events_dropped_total{reason="unknown_bus"}"#),
        Row("eventsUnmatched", \.eventsUnmatched, "crema_events_unmatched_total"),
        Row("eventsScheduled", \.eventsScheduled, "crema_events_scheduled_total"),
        Row("eventsArchived", \.eventsArchived, "crema_events_archived_total"),
        Row("archivedEventsDropped", \.archivedEventsDropped, "crema_archived_events_dropped_total"),
        Row("eventsReplayed", \.eventsReplayed, "crema_events_replayed_total"),
        Row("archivedBytes", \.archivedBytes, "crema_archived_bytes"),
        Row("entriesFailed", \.entriesFailed, "crema_event_entries_failed_total"),
        Row("requestsRefused", \.requestsRefused, "crema_event_requests_refused_total"),
        Row("deliveriesAccepted", \.deliveriesAccepted, "crema_deliveries_accepted_total"),
        Row("deliveries", \.deliveries, #"crema_deliveries_total{outcome="delivered"}"#),
        Row("deliveriesFailed", \.deliveriesFailed, #"crema_deliveries_total{outcome="dead_lettered"}"#),
        Row("deliveriesInterrupted", \.deliveriesInterrupted, "crema_deliveries_interrupted_total"),
        Row("deliveriesDropped", \.deliveriesDropped, "crema_deliveries_withdrawn_total"),
        Row("deliveriesPending", \.deliveriesPending, "crema_deliveries_pending"),
        Row("deliveriesRetried", \.deliveriesRetried, "crema_deliveries_retried_total"),
        Row("ruleHopsCut", \.ruleHopsCut, "crema_rule_hops_cut_total"),
        Row("basicIngestDropped", \.basicIngestDropped, "crema_basic_ingest_dropped_total"),
        Row("deadLettersDropped", \.deadLettersDropped, "crema_dead_letters_dropped_total"),
        Row("deadLettersSent", \.deadLettersSent, #"crema_dead_letters_sent_total{outcome="sent"}"#),
        Row("deadLetterSendsFailed", \.deadLetterSendsFailed, #"crema_dead_letters_sent_total{outcome="refused"}"#),
    ]

    private static let queues: [Row<QueueStatistics>] = [
        Row("queues", \.queues, "crema_queues"), Row("visible", \.visible, #"crema_queue_messages{state="visible"}"#),
        Row("inFlight", \.inFlight, #"crema_queue_messages{state="in_flight"}"#),
        Row("delayed", \.delayed, #"crema_queue_messages{state="delayed"}"#), Row("bytes", \.bytes, "crema_queue_bytes"),
        Row("waiters", \.waiters, "crema_queue_waiters"),
    ]

    private static let queueCounters: [Row<QueueCounters>] = [
        Row("sent", \.sent, "crema_queue_messages_sent_total"), Row("received", \.received, "crema_queue_messages_received_total"),
        Row("deleted", \.deleted, #"crema_queue_messages_removed_total{reason="deleted"}"#),
        Row("expired", \.expired, #"crema_queue_messages_removed_total{reason="expired"}"#),
        Row("purged", \.purged, #"crema_queue_messages_removed_total{reason="purged"}"#),
        Row("deadLettered", \.deadLettered, "crema_queue_messages_dead_lettered_total"),
        Row("moved", \.moved, "crema_queue_messages_moved_total"),
        Row("deduplicated", \.deduplicated, "crema_queue_messages_deduplicated_total"),
        Row("refused", \.refused, "crema_queue_messages_refused_total"),
    ]

    private static let store: [Row<StoreStatistics>] = [
        Row("commits", \.commits, "crema_store_commits_total"), Row("changes", \.changes, "crema_store_changes_total"),
        Row("waitingChanges", \.waitingChanges, "crema_store_waiting_changes"), Row("errors", \.errors, "crema_store_errors_total"),
        Row("setAside", \.setAside, "crema_store_set_aside_total"),
    ]

    private static let process: [Row<ProcessFigures>] = [
        Row("cpuSeconds", \.cpuSeconds, "process_cpu_seconds_total"),
        Row("residentBytes", \.residentBytes, "process_resident_memory_bytes"),
        Row("virtualBytes", \.virtualBytes, "process_virtual_memory_bytes"), Row("openFiles", \.openFiles, "process_open_fds"),
        Row("startSeconds", \.startSeconds, "process_start_time_seconds"),
    ]

    private static let reloads: [Row<ReloadFigures>] = [
        Row("succeeded", \.succeeded, #"crema_config_reloads_total{outcome="succeeded"}"#),
        Row("failed", \.failed, #"crema_config_reloads_total{outcome="failed"}"#),
        Row("lastSuccessSeconds", \.lastSuccessSeconds, "crema_config_last_reload_success_timestamp_seconds"),
    ]

    private static let spans: [Row<SpanFigures>] = [
        Row("sent", \.sent, #"crema_trace_spans_total{outcome="sent"}"#),
        Row("dropped", \.dropped, #"crema_trace_spans_total{outcome="dropped"}"#),
    ]

    private static let rules: [Row<RuleStatistics>] = [
        Row("matched", \.matched, "crema_rule_matched_total"), Row("delivered", \.delivered, "crema_rule_delivered_total"),
        Row("failed", \.failed, "crema_rule_failed_total"), Row("retried", \.retried, "crema_rule_retried_total"),
        Row("pending", \.pending, "crema_rule_pending"),
    ]

    private static let listeners: [Row<ListenerFigures>] = [
        Row("connected", \.connected, "crema_listener_connections"),
        Row("accepted", \.accepted, "crema_listener_connections_accepted_total"),
        Row("messagesReceived", \.messagesReceived, "crema_listener_messages_received_total"),
        Row("bytesReceived", \.bytesReceived, "crema_listener_bytes_received_total"),
        Row("bytesSent", \.bytesSent, "crema_listener_bytes_sent_total"),
        Row("handshakesCompleted", \.handshakesCompleted, "crema_tls_handshakes_total completed"),
        Row("handshakesFailed", \.handshakesFailed, "crema_tls_handshakes_total failed"),
    ]

    /// Gives each figure a number of its own, and answers which sample is to show which.
    private static func fill<Figures>(
        _ figures: inout Figures, _ rows: [Row<Figures>], from first: Int, besides others: Set<String> = [], labels: String = ""
    ) -> [String: Int] {
        let properties = Set(Mirror(reflecting: figures).children.compactMap(\.label))
        #expect(properties == Set(rows.map(\.property)).union(others), "\(Figures.self) has figures that no row shows")
        var expected: [String: Int] = [:]
        for (place, row) in rows.enumerated() {
            row.set(first + place, in: &figures)
            let parts = row.sample.split(separator: " ")
            let more = parts.count > 1 ? #",outcome="\#(parts[1])""# : ""
            expected[labels.isEmpty ? row.sample : "\(parts[0]){\(labels)\(more)}"] = first + place
        }
        return expected
    }

    private static func page(
        broker: BrokerStatistics = BrokerStatistics(), events: EventBusCounters = EventBusCounters(), rules: [RuleStatistics] = [],
        queues: QueueStatistics = QueueStatistics(), store: StoreStatistics? = nil, logLinesDropped: UInt64 = 0,
        listeners: [ListenerDocument] = [], process: ProcessFigures? = nil, reloads: ReloadFigures = ReloadFigures(),
        spans: SpanFigures = SpanFigures()
    ) throws -> [String: Double] {
        let page = MetricsPage(
            version: "1", ready: true, broker: broker, events: events, rules: rules, queues: queues, store: store, requests: [],
            logLinesDropped: logLinesDropped, listeners: listeners, process: process, reloads: reloads, spans: spans)
        return try MetricsTests.Scrape(String(decoding: page.bytes(as: .prometheus), as: UTF8.self)).samples
    }

    private func check(_ samples: [String: Double], _ expected: [String: Int]) {
        for (sample, number) in expected.sorted(by: { $0.key < $1.key }) { #expect(samples[sample] == Double(number), "\(sample)") }
    }

    @Test func theBrokersFigures() throws {
        var broker = BrokerStatistics()
        let expected = Self.fill(
            &broker, Self.broker, from: 1_000,
            besides: ["publishReceived", "publishSent", "publishToDeliver", "listeners", "eventLoopLagSeconds"])
        (broker.publishReceived, broker.publishSent) = ([1, 2, 3], [4, 5, 6])
        broker.publishToDeliver.record(nanoseconds: 1, times: 7)
        broker.eventLoopLagSeconds = [8, 9]
        let samples = try Self.page(broker: broker)
        check(samples, expected)
        for qos in 0...2 {
            #expect(samples[#"crema_messages_received_total{qos="\#(qos)"}"#] == Double(1 + qos))
            #expect(samples[#"crema_messages_sent_total{qos="\#(qos)"}"#] == Double(4 + qos))
        }
        #expect(samples["crema_publish_to_deliver_seconds_count"] == 7)
        #expect(samples[#"crema_event_loop_lag_seconds{loop="1"}"#] == 9)
    }

    @Test func whatIsRefusedIsCountedByWhatItWas() throws {
        var broker = BrokerStatistics()
        broker.connectionsRefused = [
            "badUserNameOrPassword": 1, "notAuthorized": 2, "banned": 4, "badAuthenticationMethod": 8, "serverBusy": 16,
        ]
        broker.messagesDropped = ["publish_denied": 32, "delivery_denied": 64, "queue_full": 128]
        broker.subscriptionsRefused = 256
        let samples = try Self.page(broker: broker)
        let denied = ["connect": 15, "publish": 32, "receive": 64, "subscribe": 256] as [String: Double]
        for (operation, number) in denied { #expect(samples[#"crema_auth_denied_total{op="\#(operation)"}"#] == number, "\(operation)") }
        #expect(samples[#"crema_connects_total{result="refused"}"#] == 31)
    }

    @Test func theFiguresOfEventsQueuesAndTheStore() throws {
        var (events, queues, counters, store) = (
            EventBusCounters(), QueueStatistics(), QueueCounters(), StoreStatistics(durability: "strict")
        )
        var expected = Self.fill(&events, Self.events, from: 100, besides: ["ruleMatches"])
        expected.merge(Self.fill(&queues, Self.queues, from: 200, besides: ["counters"])) { $1 }
        expected.merge(Self.fill(&counters, Self.queueCounters, from: 300)) { $1 }
        expected.merge(
            Self.fill(&store, Self.store, from: 400, besides: ["durability", "commitSeconds", "commitLatency", "isFailing"])
        ) { $1 }
        queues.counters = counters
        store.commitLatency.record(nanoseconds: 1, times: 7)
        store.isFailing = true
        let samples = try Self.page(events: events, queues: queues, store: store, logLinesDropped: 9)
        check(samples, expected)
        #expect(samples["crema_store_commit_seconds_count"] == 7 && samples["crema_store_failing"] == 1)
        #expect(samples[#"crema_store_info{durability="strict"}"#] == 1 && samples["crema_log_lines_dropped_total"] == 9)
        let cut = events.ruleHopsCut + events.deliveriesDropped
        #expect(samples[#"crema_deliveries_total{outcome="dropped"}"#] == Double(cut))
        #expect(try Self.page()[#"crema_store_info{durability="memory"}"#] == 1)
    }

    @Test func theFiguresOfTheProgram() throws {
        var (process, reloads, spans) = (ProcessFigures(), ReloadFigures(), SpanFigures())
        var expected = Self.fill(&process, Self.process, from: 100, besides: ["openFilesMax"])
        expected.merge(Self.fill(&reloads, Self.reloads, from: 200, besides: ["lastSucceeded"])) { $1 }
        expected.merge(Self.fill(&spans, Self.spans, from: 300)) { $1 }
        process.openFilesMax = 7
        let samples = try Self.page(process: process, reloads: reloads, spans: spans)
        check(samples, expected)
        #expect(samples["process_max_fds"] == 7 && samples["crema_config_last_reload_successful"] == 1)
        reloads.lastSucceeded = false
        #expect(try Self.page(reloads: reloads)["crema_config_last_reload_successful"] == 0)
    }

    @Test func theFiguresOfARule() throws {
        var rule = RuleStatistics(
            name: "r", kind: .event, bus: "b", enabled: true, definition: "", location: .init(file: "f"), matched: 0, delivered: 0,
            failed: 0)
        let others: Set = [
            "name", "kind", "bus", "enabled", "definition", "location", "lastError", "latency", "pattern", "schedule", "sqlVersion",
        ]
        let expected = Self.fill(&rule, Self.rules, from: 100, besides: others, labels: #"bus="b",kind="event",rule="r""#)
        rule.latency.record(nanoseconds: 2_000_000_000, times: 7)
        let samples = try Self.page(rules: [rule])
        check(samples, expected)
        #expect(samples[#"crema_rule_delivery_seconds_count{bus="b",kind="event",rule="r"}"#] == 7)
        #expect(samples[#"crema_rule_delivery_seconds_sum{bus="b",kind="event",rule="r"}"#] == 14)
    }

    @Test func theFiguresOfAListener() throws {
        var figures = ListenerFigures()
        let expected = Self.fill(&figures, Self.listeners, from: 100, labels: #"listener="l",bind="0.0.0.0:1""#)
        let listener = OpenedListener(
            name: "l", protocol: "mqtts", address: "0.0.0.0:1", isTLS: true, authentication: "certificate", certificateNotAfter: 7)
        let samples = try Self.page(listeners: [ListenerDocument(listener, figures)])
        check(samples, expected)
        #expect(samples[#"crema_certificate_not_after_seconds{listener="l",bind="0.0.0.0:1"}"#] == 7)
    }
}
