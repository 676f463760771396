import BrokerCore
import Testing

@testable import BrokerServer

/// The figures of several event loops make those of the broker.
@Suite struct SummedFiguresTests {
    /// What no event loop counts: the broker adds it once.
    private static let ofTheBroker: Set = [
        "uptimeSeconds", "connectionsTurnedAway", "authenticationsFailed", "passwordChecksWaiting", "passwordChecks", "publishesRefused",
        "publishBytesWaiting",
    ]
    /// What all loops share, and the greatest of something.
    private static let greatest: Set = ["retainedMessages", "retainedBytes", "longestQueue"]

    private static let numbers: [any WritableKeyPath<BrokerStatistics, Int> & Sendable] = [
        \.uptimeSeconds, \.clientsConnected, \.clientsOffline, \.clientsMaximum, \.passwordChecksWaiting, \.subscriptions,
        \.retainedMessages,
        \.retainedBytes, \.messagesQueued, \.messagesInFlight, \.publishBytesWaiting, \.sharedSubscriptions, \.queuedBytes, \.longestQueue,
        \.slowClients,
    ]
    private static let counters: [any WritableKeyPath<BrokerStatistics, UInt64> & Sendable] = [
        \.connectionsAccepted, \.authenticationsFailed, \.bytesReceived, \.bytesSent, \.packetsReceived, \.packetsSent,
        \.publishersThrottled, \.publishesRefused, \.subscriptionsRefused, \.topicsUntracked, \.publishBytesReceived, \.publishBytesSent,
        \.connectsAccepted, \.sessionsExpired,
    ]
    private static let summedReasons: [any WritableKeyPath<BrokerStatistics, [String: UInt64]> & Sendable] = [
        \.connectionsRefused, \.connectionsClosed, \.messagesDropped,
    ]
    private static let reasons: [any WritableKeyPath<BrokerStatistics, [String: UInt64]> & Sendable] =
        summedReasons + [\.connectionsTurnedAway, \.passwordChecks]

    /// Every figure with a number of its own.
    private static func figures(from first: Int, reason: String) -> BrokerStatistics {
        var (figures, next) = (BrokerStatistics(), first)
        func number() -> Int {
            next += 1
            return next
        }
        for path in numbers { figures[keyPath: path] = number() }
        for path in counters { figures[keyPath: path] = UInt64(number()) }
        for path in reasons { figures[keyPath: path] = ["both": UInt64(number()), reason: UInt64(number())] }
        for qos in 0...2 { (figures.publishReceived[qos], figures.publishSent[qos]) = (UInt64(number()), UInt64(number())) }
        figures.publishToDeliver.record(nanoseconds: Int64(number()) * 1_000_000, times: UInt64(number()))
        figures.eventLoopLagSeconds = [Double(number())]
        var listener = ListenerFigures()
        listener.connected = number()
        for path in listenerCounters { listener[keyPath: path] = UInt64(number()) }
        figures.listeners = ["both": listener, reason: listener]
        return figures
    }

    private static let listenerCounters: [any WritableKeyPath<ListenerFigures, UInt64> & Sendable] = [
        \.accepted, \.messagesReceived, \.bytesReceived, \.bytesSent, \.handshakesCompleted, \.handshakesFailed,
    ]

    /// By the names of the properties, as text.
    private static func values(_ value: Any) -> [String: String] {
        Dictionary(
            Mirror(reflecting: value).children.map { child in
                let text = (child.value as? [String: UInt64]).map { "\($0.sorted { $0.key < $1.key })" } ?? "\(child.value)"
                return (child.label ?? "", text)
            }, uniquingKeysWith: { $1 })
    }

    @Test func everyFigureIsAddedOnce() {
        let (one, other) = (Self.figures(from: 1_000, reason: "one"), Self.figures(from: 5_000, reason: "other"))
        // Nothing of them is as it was, or its sum would prove nothing.
        let untouched = Self.values(BrokerStatistics())
        for (property, value) in Self.values(one) { #expect(value != untouched[property], "\(property)") }
        var sum = one
        sum.add(other)
        let (before, after, added) = (Self.values(one), Self.values(sum), Self.values(other))
        for (property, value) in after {
            if Self.ofTheBroker.contains(property) {
                #expect(value == before[property], "\(property)")
            } else if Self.greatest.contains(property) {
                #expect(value == added[property], "\(property)")
            } else if let number = Int(value), let first = before[property].flatMap({ Int($0) }),
                let second = added[property].flatMap({ Int($0) })
            {
                #expect(number == first + second, "\(property)")
            }
        }
        for path in Self.summedReasons {
            let (first, second, both) = (one[keyPath: path], other[keyPath: path], sum[keyPath: path])
            #expect(
                both["both"] == (first["both"] ?? 0) + (second["both"] ?? 0) && both["one"] == first["one"]
                    && both["other"] == second["other"])
        }
        for qos in 0...2 {
            #expect(sum.publishReceived[qos] == one.publishReceived[qos] + other.publishReceived[qos])
            #expect(sum.publishSent[qos] == one.publishSent[qos] + other.publishSent[qos])
        }
        #expect(sum.publishToDeliver.count == one.publishToDeliver.count + other.publishToDeliver.count)
        let seconds = one.publishToDeliver.sumSeconds + other.publishToDeliver.sumSeconds
        #expect(abs(sum.publishToDeliver.sumSeconds - seconds) < 0.001)
        #expect(sum.eventLoopLagSeconds == one.eventLoopLagSeconds + other.eventLoopLagSeconds)
        // The other way round as well: what is greatest is not what came last.
        var reversed = other
        reversed.add(one)
        #expect(reversed.longestQueue == other.longestQueue && reversed.retainedBytes == other.retainedBytes)
        #expect(reversed.retainedMessages == other.retainedMessages)
    }

    @Test func aListenerOfSeveralLoopsIsOne() throws {
        let (one, other) = (Self.figures(from: 1_000, reason: "one"), Self.figures(from: 5_000, reason: "other"))
        var sum = one
        sum.add(other)
        let (first, second, both) = (
            try #require(one.listeners["both"]), try #require(other.listeners["both"]), try #require(sum.listeners["both"])
        )
        #expect(Set(Mirror(reflecting: both).children.compactMap(\.label)).count == Self.listenerCounters.count + 1)
        #expect(both.connected == first.connected + second.connected)
        for path in Self.listenerCounters { #expect(both[keyPath: path] == first[keyPath: path] + second[keyPath: path]) }
        #expect(sum.listeners["one"] == first && sum.listeners["other"] == second)
    }
}
