import Synchronization

/// Requests answered by a listener for programs, for `/metrics`.
package final class GatewayCounters: Sendable {
    /// Which part of the gateway answered.
    ///
    /// Bounded, so that it can be a label.
    package enum Handler: String, Sendable, CaseIterable {
        case putEvents = "put_events"
        /// EventBridge's other operations.
        case events
        case topicRules = "topic_rules"
        /// Messages published and asked for by AWS IoT's data plane.
        case dataPlane = "iot_data"
        /// Things, certificates and policies by AWS IoT's API.
        case things
        case queues
        case route
        /// A file for browsers.
        case page
        /// MQTT over WebSocket: what was refused before it became that.
        case webSocket = "web_socket"
        /// No route and no operation: what nobody asked for.
        case unmatched
    }

    package struct Count: Sendable, Equatable {
        package let handler: Handler
        package let status: Int
        package let requests: UInt64
    }

    private struct Key: Hashable {
        let handler: Handler
        let status: Int
    }

    private let requests = Mutex<[Key: UInt64]>([:])

    package init() {}

    package func record(_ handler: Handler, status: Int) {
        requests.withLock { $0[Key(handler: handler, status: status), default: 0] &+= 1 }
    }

    /// All counts, ordered by handler and status.
    package var counts: [Count] {
        requests.withLock { $0 }
            .map { Count(handler: $0.key.handler, status: $0.key.status, requests: $0.value) }
            .sorted { ($0.handler.rawValue, $0.status) < ($1.handler.rawValue, $1.status) }
    }
}
