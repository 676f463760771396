import BrokerCore
import EventBus
import Queues

/// Requests that a listener for programs answered, as `/metrics` shows them.
package struct RequestCount: Sendable, Equatable {
    package var handler: String
    package var status: Int
    package var requests: UInt64

    package init(handler: String, status: Int, requests: UInt64) {
        self.handler = handler
        self.status = status
        self.requests = requests
    }
}

/// The numbers of one scrape.
///
/// Labels are bounded: reasons, QoS, rules from the templates; never a client or a topic.
struct MetricsPage {
    let version: String
    let ready: Bool
    let broker: BrokerStatistics
    let events: EventBusCounters
    let rules: [RuleStatistics]
    let queues: QueueStatistics
    /// `nil` when everything is in memory.
    let store: StoreStatistics?
    let requests: [RequestCount]
    let logLinesDropped: UInt64
    let listeners: [ListenerDocument]
    /// `nil` where the system does not tell.
    let process: ProcessFigures?
    let reloads: ReloadFigures
    let spans: SpanFigures

    func bytes(as format: PrometheusText.Format) -> [UInt8] {
        var text = PrometheusText(format)
        text.add(.gauge, "crema_build_info", "The version that runs; always 1.", by: "version", [(version, 1)])
        text.add(.gauge, "crema_ready", "1 when every listener accepts, 0 while starting and draining.", ready ? 1 : 0)
        addConnections(&text)
        addMessages(&text)
        addEvents(&text)
        addRules(&text)
        addDeliveries(&text)
        addQueues(&text)
        addStore(&text)
        text.add(
            .counter, "crema_http_requests_total", "Requests answered on listeners for programs.",
            requests.map { (["handler": $0.handler, "code": String($0.status)], $0.requests) })
        text.add(
            .counter, "crema_log_lines_dropped_total", "Lines of the log dropped because nobody took them from standard error.",
            logLinesDropped)
        addMeasurements(&text)
        addListeners(&text)
        addReloads(&text)
        addSpans(&text)
        addProcess(&text)
        text.end()
        return text.bytes
    }

    private func addConnections(_ text: inout PrometheusText) {
        text.add(.gauge, "crema_uptime_seconds", "Seconds since the broker started.", broker.uptimeSeconds)
        text.add(
            .gauge, "crema_clients", "Sessions, by whether they have a connection now.", by: "state",
            [("connected", broker.clientsConnected), ("offline", broker.clientsOffline)])
        text.add(.gauge, "crema_clients_maximum", "Most clients connected at once since start.", broker.clientsMaximum)
        text.add(.counter, "crema_connections_accepted_total", "Connections accepted.", broker.connectionsAccepted)
        text.add(
            .counter, "crema_connections_refused_total", "CONNECT packets refused.", by: "reason", Self.sorted(broker.connectionsRefused))
        text.add(
            .counter, "crema_connections_closed_total", "Connections that the broker closed.", by: "reason",
            Self.sorted(broker.connectionsClosed))
        text.add(
            .counter, "crema_connections_turned_away_total", "Sockets closed as soon as they were accepted.", by: "reason",
            Self.sorted(broker.connectionsTurnedAway))
        text.add(
            .counter, "crema_authentications_failed_total", "Clients that failed to prove who they are.", broker.authenticationsFailed)
        text.add(
            .gauge, "crema_password_checks_waiting", "Passwords that wait to be checked, or are being checked.",
            broker.passwordChecksWaiting)
        text.add(
            .counter, "crema_password_checks_total", "Passwords that were given to be checked, by what became of it.", by: "outcome",
            Self.sorted(broker.passwordChecks))
        text.add(
            .counter, "crema_connects_total", "CONNECT packets, by what became of them.", by: "result",
            [("accepted", broker.connectsAccepted), ("refused", broker.connectionsRefused.values.reduce(0, &+))])
        text.add(.counter, "crema_sessions_expired_total", "Sessions whose client was away for too long.", broker.sessionsExpired)
        text.add(
            .gauge, "crema_slow_clients", "Clients that do not take their messages as fast as they come.", broker.slowClients)
        text.add(.counter, "crema_auth_denied_total", "What somebody may not do, by what it was.", by: "op", denied)
        text.add(
            .counter, "crema_subscriptions_refused_total", "Filters of SUBSCRIBE packets that were refused.", broker.subscriptionsRefused)
        text.add(
            .counter, "crema_topics_untracked_total", "Routes made for topics that are not listed, at topicsTrackedMax.",
            broker.topicsUntracked)
        text.add(.gauge, "crema_subscriptions", "Subscriptions of all sessions.", broker.subscriptions)
        text.add(
            .gauge, "crema_shared_subscriptions", "Memberships of sessions in shared subscriptions.", broker.sharedSubscriptions)
    }

    private var denied: [(String, UInt64)] {
        let connects = ["badUserNameOrPassword", "notAuthorized", "banned", "badAuthenticationMethod"].compactMap {
            broker.connectionsRefused[$0]
        }
        return [
            ("connect", connects.reduce(0, &+)), ("publish", broker.messagesDropped["publish_denied"] ?? 0),
            ("subscribe", broker.subscriptionsRefused), ("receive", broker.messagesDropped["delivery_denied"] ?? 0),
        ]
    }

    private func addMessages(_ text: inout PrometheusText) {
        text.add(.counter, "crema_bytes_received_total", "Bytes received from MQTT clients.", broker.bytesReceived)
        text.add(.counter, "crema_bytes_sent_total", "Bytes sent to MQTT clients.", broker.bytesSent)
        text.add(
            .counter, "crema_payload_bytes_received_total", "Payload bytes of PUBLISH packets received.", broker.publishBytesReceived)
        text.add(.counter, "crema_payload_bytes_sent_total", "Payload bytes of PUBLISH packets sent.", broker.publishBytesSent)
        text.add(.counter, "crema_packets_received_total", "MQTT control packets received.", broker.packetsReceived)
        text.add(.counter, "crema_packets_sent_total", "MQTT control packets sent.", broker.packetsSent)
        text.add(
            .counter, "crema_messages_received_total", "PUBLISH packets received.", by: "qos", Self.byQoS(broker.publishReceived))
        text.add(.counter, "crema_messages_sent_total", "PUBLISH packets sent.", by: "qos", Self.byQoS(broker.publishSent))
        text.add(
            .counter, "crema_messages_dropped_total", "Messages dropped instead of delivered.", by: "reason",
            Self.sorted(broker.messagesDropped))
        text.add(
            .counter, "crema_publishers_throttled_total", "Times that a client was not read for a while because it published too fast.",
            broker.publishersThrottled)
        text.add(
            .counter, "crema_publishes_refused_total", "Calls that were refused because too much waited to be published.",
            broker.publishesRefused)
        text.add(.gauge, "crema_publish_waiting_bytes", "Bytes of calls' messages that wait to be published.", broker.publishBytesWaiting)
        text.add(.gauge, "crema_messages_queued", "Messages waiting in queues of sessions.", broker.messagesQueued)
        text.add(.gauge, "crema_messages_queued_bytes", "Bytes of these messages.", broker.queuedBytes)
        text.add(.gauge, "crema_longest_queue_messages", "Messages in the longest queue of a session.", broker.longestQueue)
        text.add(.gauge, "crema_messages_in_flight", "Messages sent and not acknowledged yet.", broker.messagesInFlight)
        text.add(.gauge, "crema_retained_messages", "Retained messages.", broker.retainedMessages)
        text.add(.gauge, "crema_retained_bytes", "Payload bytes of retained messages.", broker.retainedBytes)
    }

    private func addEvents(_ text: inout PrometheusText) {
        text.add(.counter, "crema_events_accepted_total", "Events put on a bus that exists.", events.eventsAccepted)
        text.add(
            .counter, "crema_events_dropped_total", "Events accepted and dropped.", by: "reason",
            [("unknown_bus", events.eventsDroppedUnknownBus)])
        text.add(.counter, "crema_events_unmatched_total", "Events that no rule of their bus matched.", events.eventsUnmatched)
        text.add(.counter, "crema_events_scheduled_total", "Events that scheduled rules made.", events.eventsScheduled)
        text.add(.counter, "crema_events_archived_total", "Events that at least one archive kept.", events.eventsArchived)
        text.add(
            .counter, "crema_archived_events_dropped_total", "Events that archives dropped to keep within archiveBytesMax.",
            events.archivedEventsDropped)
        text.add(.gauge, "crema_archived_bytes", "What the events of all archives count towards archiveBytesMax.", events.archivedBytes)
        text.add(.counter, "crema_events_replayed_total", "Events that replays put on their buses once more.", events.eventsReplayed)
        text.add(.counter, "crema_event_entries_failed_total", "PutEvents entries answered with an error.", events.entriesFailed)
        text.add(.counter, "crema_event_requests_refused_total", "PutEvents requests refused as a whole.", events.requestsRefused)
        text.add(.counter, "crema_rule_hops_cut_total", "Rule outputs cut at ruleHopsMax.", events.ruleHopsCut)
        text.add(
            .counter, "crema_basic_ingest_dropped_total", "Messages of Basic Ingest for a rule that does not exist or is disabled.",
            events.basicIngestDropped)
        text.add(
            .counter, "crema_dead_letters_dropped_total", "Dead letters dropped to keep within their limits.", events.deadLettersDropped)
        text.add(
            .counter, "crema_dead_letters_sent_total", "Events whose delivery failed, by whether the target's dead-letter queue took them.",
            by: "outcome", [("sent", events.deadLettersSent), ("refused", events.deadLetterSendsFailed)])
    }

    private func addRules(_ text: inout PrometheusText) {
        func samples(_ value: KeyPath<RuleStatistics, UInt64>) -> [(labels: KeyValuePairs<String, String>, value: UInt64)] {
            rules.map { (["bus": $0.bus ?? "", "kind": $0.kind.rawValue, "rule": $0.name], $0[keyPath: value]) }
        }
        text.add(.counter, "crema_rule_matched_total", "Events or messages that a rule matched.", samples(\.matched))
        text.add(.counter, "crema_rule_delivered_total", "Deliveries of a rule to its targets.", samples(\.delivered))
        text.add(.counter, "crema_rule_failed_total", "Deliveries of a rule that failed for good.", samples(\.failed))
        text.add(.counter, "crema_rule_retried_total", "Times that a failed delivery of a rule was tried again.", samples(\.retried))
        text.add(
            .gauge, "crema_rule_pending", "Deliveries of a rule that wait for their turn or are under way.",
            samples(\.pendingCount))
        text.add(
            "crema_rule_delivery_seconds", "From what a rule matched to the end of each delivery that was delivered, with all waiting.",
            summaries: rules.map { (["bus": $0.bus ?? "", "kind": $0.kind.rawValue, "rule": $0.name], $0.latency) })
    }

    /// Accepted is the sum of the others, as long as nothing is on its way between two of them.
    private func addDeliveries(_ text: inout PrometheusText) {
        text.add(
            .counter, "crema_deliveries_accepted_total", "What rules had for their targets and actions.", events.deliveriesAccepted)
        text.add(
            .counter, "crema_deliveries_total", "What became of it in the end.", by: "outcome",
            [
                ("delivered", events.deliveries), ("dead_lettered", events.deliveriesFailed),
                ("dropped", events.ruleHopsCut + events.deliveriesDropped),
            ])
        text.add(
            .counter, "crema_deliveries_withdrawn_total", "Those of the dropped that waited for a target when it was removed.",
            events.deliveriesDropped)
        text.add(
            .counter, "crema_deliveries_interrupted_total",
            "Dead letters whose delivery was under way when Crema stopped: the target may have taken it.", events.deliveriesInterrupted)
        text.add(
            .gauge, "crema_deliveries_pending", "Deliveries that wait for their turn or are under way.", events.deliveriesPending)
        text.add(
            .counter, "crema_deliveries_retried_total", "Times that a failed delivery was tried again.", events.deliveriesRetried)
    }

    private func addQueues(_ text: inout PrometheusText) {
        let counters = queues.counters
        text.add(.gauge, "crema_queues", "Queues.", queues.queues)
        text.add(
            .gauge, "crema_queue_messages", "Messages in all queues, by what they wait for.", by: "state",
            [("visible", queues.visible), ("in_flight", queues.inFlight), ("delayed", queues.delayed)])
        text.add(.gauge, "crema_queue_bytes", "What the messages count towards queuesBytesMax.", queues.bytes)
        text.add(.gauge, "crema_queue_waiters", "Requests that wait for messages.", queues.waiters)
        text.add(.counter, "crema_queue_messages_sent_total", "Messages that queues took.", counters.sent)
        text.add(.counter, "crema_queue_messages_received_total", "Times that a message was handed to a receiver.", counters.received)
        text.add(
            .counter, "crema_queue_messages_removed_total", "Messages that left the queues, by the reason.", by: "reason",
            [("deleted", counters.deleted), ("expired", counters.expired), ("purged", counters.purged)])
        text.add(
            .counter, "crema_queue_messages_dead_lettered_total", "Messages moved to a dead-letter queue because nobody deleted them.",
            counters.deadLettered)
        text.add(
            .counter, "crema_queue_messages_moved_total", "Messages that a task moved out of a dead-letter queue.", counters.moved)
        text.add(
            .counter, "crema_queue_messages_deduplicated_total",
            "Messages that a FIFO queue did not take because it had got the same before.", counters.deduplicated)
        text.add(.counter, "crema_queue_messages_refused_total", "Messages that queues refused.", counters.refused)
    }

    /// The mode is always there, the rest where there is a store.
    private func addStore(_ text: inout PrometheusText) {
        text.add(
            .gauge, "crema_store_info", "What an acknowledgement promises: strict, relaxed or memory; always 1.", by: "durability",
            [(store?.durability ?? Durability.memory.description, 1)])
        guard let store else { return }
        text.add(.counter, "crema_store_commits_total", "Transactions that are on disk.", store.commits)
        text.add(.counter, "crema_store_changes_total", "Changes in them: many share one commit.", store.changes)
        text.add("crema_store_commit_seconds", "From a transaction's first statement to the end of its sync.", store.commitLatency)
        text.add(.gauge, "crema_store_waiting_changes", "Changes that wait for the next transaction.", store.waitingChanges)
        text.add(.counter, "crema_store_errors_total", "Times that writing to the store failed.", store.errors)
        text.add(.gauge, "crema_store_failing", "1 while what needs the disk is refused.", store.isFailing ? 1 : 0)
        text.add(.counter, "crema_store_set_aside_total", "Damaged stores that were set aside at start.", store.setAside)
    }

    private static func sorted(_ counts: [String: UInt64]) -> [(String, UInt64)] {
        counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static func byQoS(_ counts: [UInt64]) -> [(String, UInt64)] {
        counts.enumerated().map { (String($0.offset), $0.element) }
    }
}

extension RuleStatistics {
    fileprivate var pendingCount: UInt64 { UInt64(clamping: pending) }
}
