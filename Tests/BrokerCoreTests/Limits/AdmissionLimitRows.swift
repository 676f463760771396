import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// Limits of who may connect, and how often.
extension LimitRow {
    static let admission = [
        LimitRow(name: "connectionsMax", limit: 3, beyond: "turned away: connections") { trial in
            let broker = trial.broker()
            for _ in 0..<10 where broker.admission.takePlace() == nil { broker.admission.leavePlace() }
            for _ in 0..<trial.amount { _ = broker.admission.takePlace() }
            return broker.refusals
        },
        LimitRow(name: "connectsPerSecondPerAddressMax", limit: 4, beyond: "turned away: address_rate") { trial in
            var trial = trial
            trial.limits.connectBurstPerAddressMax = 1
            let broker = trial.broker()
            let network = try #require(LimitTrial.network)
            for _ in 0..<20 {
                _ = broker.admission.connected(network, now: broker.now)
                broker.advance(seconds: 1 / Double(trial.amount))
            }
            return broker.refusals
        },
        LimitRow(name: "connectBurstPerAddressMax", limit: 5, beyond: "turned away: address_rate") { trial in
            let broker = trial.broker()
            let network = try #require(LimitTrial.network)
            for _ in 0..<trial.amount { _ = broker.admission.connected(network, now: broker.now) }
            return broker.refusals
        },
        LimitRow(name: "connectsPerSecondMax", limit: 5, beyond: "turned away: broker_rate") { trial in
            let broker = trial.broker()
            for number in 1...trial.amount {
                _ = broker.admission.connected(try #require(PeerNetwork("192.0.2.\(number)")), now: broker.now)
            }
            return broker.refusals
        },
        LimitRow(name: "connectsPerSecondPerClientMax", limit: 4, beyond: "refused: connectionRateExceeded") { trial in
            var trial = trial
            trial.limits.connectBurstPerClientMax = 1
            let broker = trial.broker()
            for _ in 0..<20 {
                try connect(in: broker)
                broker.advance(seconds: 1 / Double(trial.amount))
            }
            return broker.refusals
        },
        LimitRow(name: "connectBurstPerClientMax", limit: 5, beyond: "refused: connectionRateExceeded") { trial in
            let broker = trial.broker()
            for _ in 0..<trial.amount { try connect(in: broker) }
            return broker.refusals
        },
        LimitRow(name: "failedAuthenticationsMax", limit: 3, beyond: "turned away: address_blocked", servesLimit: false) { trial in
            let broker = trial.broker()
            for _ in 0..<trial.amount { try fail(in: broker) }
            _ = broker.admission.connected(try #require(LimitTrial.network), now: broker.now)
            return broker.refusals.replacing("refused: banned, ", with: "").replacing("refused: notAuthorized, ", with: "")
                .replacing("refused: notAuthorized", with: "")
        },
        LimitRow(
            name: "failedAuthenticationDelayMilliseconds", limit: 1_000, beyond: "refused: notAuthorized", servesLimit: false
        ) { trial in
            let broker = trial.broker()
            try fail(in: broker, waiting: Double(trial.amount) / 1_000)
            return broker.refusals
        },
        LimitRow(name: "failedAuthenticationBlockSeconds", limit: 60, beyond: "free again", servesLimit: false) { trial in
            var trial = trial
            trial.limits.failedAuthenticationsMax = 1
            let broker = trial.broker()
            try fail(in: broker, waiting: 0)
            broker.advance(seconds: Double(trial.amount))
            let refusal = broker.admission.connected(try #require(LimitTrial.network), now: broker.now)
            return refusal == nil ? "free again" : ""
        },
        LimitRow(name: "passwordChecksWaitingMax", limit: 3, beyond: "refused: serverBusy") { trial in
            let broker = trial.broker(authorizer: SlowAuthorizer())
            for number in 1...trial.amount {
                let client = SimulatedClient("\(number)", of: broker)
                client.open()
                client.send(.connect(Connect(clientID: client.name)))
            }
            return broker.refusals
        },
        LimitRow(name: "addressesTrackedMax", limit: 4, beyond: "remembered: 3") { trial in
            let broker = trial.broker()
            for number in 1...trial.amount {
                _ = broker.admission.connected(try #require(PeerNetwork("192.0.2.\(number)")), now: broker.now)
            }
            let tracked = broker.admission.tracked.addresses
            return tracked == trial.amount ? broker.refusals : "remembered: \(tracked)"
        },
        LimitRow(name: "clientIDsTrackedMax", limit: 4, beyond: "remembered: 3") { trial in
            let broker = trial.broker()
            for number in 1...trial.amount { try connect("\(number)", in: broker) }
            let tracked = broker.admission.tracked.clientIDs
            return tracked == trial.amount ? broker.refusals : "remembered: \(tracked)"
        },
    ]

    /// Has everybody's proof checked, by nobody.
    private struct SlowAuthorizer: Authorizer, CredentialCheck {
        var isUnrestricted: Bool { true }
        func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication { .toBeChecked(self) }
        func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool { true }
        func run() -> CheckedCredential { .undecided(.serverUnavailable, "") }
    }

    /// Connects and goes away without a word that would be counted.
    private static func connect(_ name: String = "a", in broker: SimulatedBroker) throws {
        let client = SimulatedClient(name, of: broker)
        client.open(network: LimitTrial.network)
        _ = try client.exchange(.connect(Connect(clientID: name, keepAlive: 60, version: .v5)))
    }

    /// Connects to a listener that wants a proof, without one.
    private static func fail(in broker: SimulatedBroker, waiting seconds: Double = 4.9) throws {
        let client = SimulatedClient("a", of: broker)
        client.open(allowsAnonymous: false, network: LimitTrial.network)
        client.send(.connect(Connect(clientID: "a")))
        broker.settle()
        broker.advance(seconds: seconds)
    }
}
