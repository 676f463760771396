import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// Wills that wait and sessions that end, in every order.
@Suite struct HostileWillsTests {
    /// What becomes of the client after its connection was lost at second 0.
    enum Fate: String, CaseIterable {
        case staysAway
        /// Comes back to its session at second 3, and says goodbye at once.
        case resumes
        /// Comes back at second 3 for a new session.
        case beginsAnew
        /// As the two before, at another event loop.
        case resumesElsewhere
        case beginsAnewElsewhere
        /// Its rights are looked at again, which ends nothing.
        case rightsChange
        /// The broker goes down at second 3, and begins again from its disk.
        case restart
    }

    private static let times: [UInt32] = [0, 1, 2, 4, 5, 10, .max]

    private static let cases: [(UInt32, UInt32)] = times.flatMap { delay in times.map { (delay, $0) } }

    /// When the will comes, in seconds after the loss; `nil` when never.
    private func expected(_ delay: UInt32, _ expiry: UInt32, _ fate: Fate, limits: BrokerLimits) -> Double? {
        // At the earlier of both [MQTT5-3.1.2-8], and a session ends after sessionExpirySecondsMax at the latest.
        let due = Double(min(Int(delay), Int(expiry), limits.sessionExpirySecondsMax))
        switch fate {
        case .staysAway, .rightsChange, .restart: return due
        case .resumes, .resumesElsewhere: return due < 3 ? due : nil  // [MQTT5-3.1.3-9]
        case .beginsAnew, .beginsAnewElsewhere: return min(due, 3)
        }
    }

    private func watch(_ watcher: SimulatedClient, since start: Instant, on broker: SimulatedBroker) throws -> [Double] {
        broker.settle()
        let tenths = (Double(broker.now.nanoseconds - start.nanoseconds) / 1e8).rounded()
        return Array(repeating: tenths / 10, count: try watcher.read().publishes.count)
    }

    @Test(
        "Threat 30: a will comes once and in time, or never, whatever its delay, the session's expiry and the client do",
        arguments: cases)
    func matrix(delay: UInt32, expiry: UInt32) throws {
        for fate in Fate.allCases {
            var broker = SimulatedBroker(shards: 2, store: fate == .restart ? SimulatedStore() : nil)
            var watcher = try broker.client("w", at: 1)
            _ = try watcher.subscribe("gone")
            var will = will("gone", "x")
            will.properties.willDelayInterval = delay
            let client = try broker.client5("a", will: will) { $0.sessionExpiryInterval = expiry }
            broker.settle()
            let start = broker.now
            client.lose()
            var seen = try watch(watcher, since: start, on: broker)
            for step in 1...200 {
                if step == 30 {
                    switch fate {
                    case .staysAway: break
                    case .resumes, .beginsAnew, .resumesElsewhere, .beginsAnewElsewhere:
                        let isElsewhere = fate == .resumesElsewhere || fate == .beginsAnewElsewhere
                        let isClean = fate == .beginsAnew || fate == .beginsAnewElsewhere
                        _ = try client.connect5(at: isElsewhere ? 1 : 0, cleanStart: isClean) { $0.sessionExpiryInterval = expiry }
                        client.send(.disconnect(Disconnect()))
                    case .rightsChange: for node in broker.nodes { node.core.rightsChanged(now: broker.now) }
                    case .restart:
                        seen += try watch(watcher, since: start, on: broker)
                        broker = broker.afterCrash(shards: 2)
                        watcher = try broker.client("w", at: 1)
                        _ = try watcher.subscribe("gone")
                    }
                }
                seen += try watch(watcher, since: start, on: broker)
                broker.advance(seconds: 0.1)
            }
            // Whatever was not due in these twenty seconds.
            seen += try watch(watcher, since: start, on: broker)
            broker.advance(seconds: Double(BrokerLimits().sessionExpirySecondsMax) + 1)
            seen += try watch(watcher, since: start, on: broker)
            let due = expected(delay, expiry, fate, limits: BrokerLimits())
            #expect(seen.count == (due == nil ? 0 : 1), "\(fate)")
            if let due, let time = seen.first { #expect(due > 20 ? time > 20 : abs(time - due) < 0.2, "\(fate)") }
            #expect(broker.nodes.allSatisfy { $0.core.willBytes == 0 }, "\(fate)")
        }
    }
}
