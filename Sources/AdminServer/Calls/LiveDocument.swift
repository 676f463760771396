import BrokerCore
import EventBus

/// One document of `GET /api/v1/live`: how the broker does, and what it did in the second before.
package struct LiveDocument: Codable, Sendable, Equatable {
    package struct Rates: Codable, Sendable, Equatable {
        package var messagesInPerSecond: Double
        package var messagesOutPerSecond: Double
        package var bytesInPerSecond: Double
        package var bytesOutPerSecond: Double
        package var connectsPerSecond: Double
        package var dropsPerSecond: Double
    }

    /// From a message's acceptance to its way out, of those that left in this second; the times are absent where there were none.
    package struct Latency: Codable, Sendable, Equatable {
        package var p50Milliseconds: Double?
        package var p99Milliseconds: Double?
        package var samples: UInt64
    }

    package struct Listener: Codable, Sendable, Equatable {
        package var listener: String
        package var connected: Int
        package var messagesInPerSecond: Double
        package var bytesInPerSecond: Double
        package var bytesOutPerSecond: Double
    }

    /// RFC 3339.
    package var time: String
    package var statistics: StatisticsDocument
    package var rates: Rates
    package var latency: Latency
    /// Of the slowest event loop, the worst of the last ten seconds.
    package var eventLoopLagMilliseconds: Double
    package var listeners: [Listener]

    static var shape: JSONShape {
        let rates = [
            "messagesInPerSecond", "messagesOutPerSecond", "bytesInPerSecond", "bytesOutPerSecond", "connectsPerSecond", "dropsPerSecond",
        ]
        let listener = JSONShape.object([
            .always("listener", .text), .always("connected", .integer), .always("messagesInPerSecond", .number),
            .always("bytesInPerSecond", .number), .always("bytesOutPerSecond", .number),
        ])
        return .object([
            .always("time", .text), .always("statistics", StatisticsDocument.shape),
            .always("rates", .object(rates.map { .always($0, .number) })),
            .always(
                "latency",
                .object([.maybe("p50Milliseconds", .number), .maybe("p99Milliseconds", .number), .always("samples", .integer)])),
            .always("eventLoopLagMilliseconds", .number), .always("listeners", .list(listener)),
        ])
    }
}

extension LiveDocument {
    /// What two looks at the figures tell, so many seconds apart.
    init(_ now: LiveFigures, since before: LiveFigures, seconds: Double, statistics: StatisticsDocument) {
        let span = max(seconds, 0.001)
        func perSecond(_ value: (LiveFigures) -> UInt64) -> Double {
            let (last, first) = (value(now), value(before))
            return last > first ? (Double(last - first) / span * 10).rounded() / 10 : 0
        }
        time = timestamp(milliseconds: now.timeMilliseconds)
        self.statistics = statistics
        rates = Rates(
            messagesInPerSecond: perSecond { $0.broker.publishReceived.reduce(0, &+) },
            messagesOutPerSecond: perSecond { $0.broker.publishSent.reduce(0, &+) },
            bytesInPerSecond: perSecond(\.broker.bytesReceived), bytesOutPerSecond: perSecond(\.broker.bytesSent),
            connectsPerSecond: perSecond(\.broker.connectionsAccepted),
            dropsPerSecond: perSecond { $0.broker.messagesDropped.values.reduce(0, &+) })
        let histogram = now.broker.publishToDeliver.since(before.broker.publishToDeliver)
        latency = Latency(
            p50Milliseconds: histogram.quantile(0.5).map(Self.milliseconds),
            p99Milliseconds: histogram.quantile(0.99).map(Self.milliseconds), samples: histogram.count)
        eventLoopLagMilliseconds = Self.milliseconds(now.broker.eventLoopLagSeconds.max() ?? 0)
        listeners = now.listeners.map { row in
            func rate(_ value: (ListenerDocument) -> UInt64) -> Double {
                perSecond { $0.listeners.first { $0.listener == row.listener && $0.bind == row.bind }.map(value) ?? 0 }
            }
            return Listener(
                listener: row.listener, connected: row.connected, messagesInPerSecond: rate(\.messagesReceived),
                bytesInPerSecond: rate(\.bytesReceived), bytesOutPerSecond: rate(\.bytesSent))
        }
    }

    private static func milliseconds(_ seconds: Double) -> Double { (seconds * 1_000_000).rounded() / 1_000 }
}

/// One look at the figures.
struct LiveFigures: Sendable {
    var timeMilliseconds: Int64
    var broker: BrokerStatistics
    var listeners: [ListenerDocument]
}
