import BrokerCore
import EventBus

/// What is measured rather than counted, and what is known of listeners and of the process.
extension MetricsPage {
    func addMeasurements(_ text: inout PrometheusText) {
        text.add(
            "crema_publish_to_deliver_seconds",
            "From the acceptance of a message to the turn of the event loop in which it left for a client that was connected then.",
            broker.publishToDeliver)
        text.add(
            .gauge, "crema_event_loop_lag_seconds", "How late tasks of an event loop ran, the worst of the last ten seconds.",
            seconds: broker.eventLoopLagSeconds.enumerated().map { (["loop": String($0.offset)], $0.element) })
    }

    func addListeners(_ text: inout PrometheusText) {
        func samples(_ value: (ListenerDocument) -> UInt64) -> [(labels: PrometheusText.Labels, value: UInt64)] {
            listeners.map { (["listener": $0.listener, "bind": $0.bind], value($0)) }
        }
        text.add(
            .gauge, "crema_listener_connections", "Connections that are open now, by the listener that let them in.",
            samples { UInt64(clamping: $0.connected) })
        text.add(.counter, "crema_listener_connections_accepted_total", "Connections that a listener accepted.", samples(\.accepted))
        text.add(
            .counter, "crema_listener_full_total", "Times that a listener of HTTP came to have as many connections as it may.",
            listeners.compactMap { row in row.timesFull.map { (["listener": row.listener, "bind": row.bind], $0) } })
        text.add(
            .counter, "crema_listener_messages_received_total", "PUBLISH packets that came through a listener.",
            samples(\.messagesReceived))
        text.add(
            .counter, "crema_listener_bytes_received_total", "Bytes of MQTT that came through a listener.", samples(\.bytesReceived))
        text.add(.counter, "crema_listener_bytes_sent_total", "Bytes of MQTT that left through a listener.", samples(\.bytesSent))
        let handshakes = listeners.filter(\.tls).flatMap { row in
            [("completed", row.handshakesCompleted), ("failed", row.handshakesFailed)].map { outcome, count in
                (labels: ["listener": row.listener, "bind": row.bind, "outcome": outcome] as PrometheusText.Labels, value: count ?? 0)
            }
        }
        text.add(.counter, "crema_tls_handshakes_total", "TLS handshakes of a listener, by what became of them.", handshakes)
        text.add(
            .gauge, "crema_certificate_not_after_seconds",
            "When the certificate ends by which a listener proves itself, in seconds since 1970.",
            seconds: listeners.compactMap { row in
                row.certificateNotAfterSeconds.map { (["listener": row.listener, "bind": row.bind], Double($0)) }
            })
    }

    func addReloads(_ text: inout PrometheusText) {
        text.add(
            .gauge, "crema_config_last_reload_successful", "1 when the last reload succeeded, or there was none yet.",
            reloads.lastSucceeded ? 1 : 0)
        text.add(
            .gauge, "crema_config_last_reload_success_timestamp_seconds",
            "When a reload succeeded last, or Crema started, in seconds since 1970.", seconds: reloads.lastSuccessSeconds)
        text.add(
            .counter, "crema_config_reloads_total", "Reloads, by whether they succeeded.", by: "outcome",
            [("succeeded", reloads.succeeded), ("failed", reloads.failed)])
    }

    func addSpans(_ text: inout PrometheusText) {
        text.add(
            .counter, "crema_trace_spans_total", "Steps of traces for the collector, by what became of them.", by: "outcome",
            [("sent", spans.sent), ("dropped", spans.dropped)])
    }

    /// By the names that Prometheus' client libraries give them.
    func addProcess(_ text: inout PrometheusText) {
        guard let process else { return }
        text.add(
            .counter, "process_cpu_seconds_total", "Time that the process has used of all cores, in seconds.", seconds: process.cpuSeconds)
        text.add(.gauge, "process_resident_memory_bytes", "Memory of the process that is in RAM.", process.residentBytes)
        text.add(.gauge, "process_virtual_memory_bytes", "Address space of the process.", process.virtualBytes)
        text.add(.gauge, "process_open_fds", "Files and sockets that the process has open.", process.openFiles)
        if let most = process.openFilesMax {
            text.add(.gauge, "process_max_fds", "Most files and sockets that it may have open.", most)
        }
        text.add(
            .gauge, "process_start_time_seconds", "When the process started, in seconds since 1970.", seconds: process.startSeconds)
    }
}
