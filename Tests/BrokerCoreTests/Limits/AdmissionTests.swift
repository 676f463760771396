import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// How fast clients may connect, and what failed proofs cost (threats 11 and 58).
@Suite struct AdmissionTests {
    private func open(
        _ name: String = "a", of broker: SimulatedBroker, at shard: Int = 0, anonymous: Bool = true, principal: String? = nil,
        version: ProtocolVersion = .v311, network: String = "192.0.2.1"
    ) throws -> (client: SimulatedClient, answer: [Packet]) {
        let client = SimulatedClient(name, of: broker)
        client.open(at: shard, principal: principal, allowsAnonymous: anonymous, network: PeerNetwork(network))
        let answer = try client.exchange(.connect(Connect(clientID: name, keepAlive: 60, version: version)))
        return (client, answer)
    }

    // MARK: Client identifiers

    @Test("A client identifier that connects too often is told 0x9F, or in MQTT 3.1.1 only closed", arguments: [ProtocolVersion.v311, .v5])
    func clientRate(version: ProtocolVersion) throws {
        let broker = SimulatedBroker(shards: 2)
        for shard in 0..<10 { #expect(try open(of: broker, at: shard % 2, version: version).answer.connack?.reasonCode == .success) }
        let (refused, answer) = try open(of: broker, version: version)
        #expect(!refused.isConnected)
        #expect(answer == (version == .v5 ? [.connack(Connack(sessionPresent: false, reasonCode: .connectionRateExceeded))] : []))
        #expect(broker.nodes[0].core.statistics().connectionsRefused == ["connectionRateExceeded": 1])
        #expect(try open("b", of: broker, version: version).answer.connack?.reasonCode == .success)
        broker.advance(seconds: 1)
        #expect(try open(of: broker, version: version).answer.connack?.reasonCode == .success)
    }

    @Test("Nobody waits for what a higher rate allowed before a reload", arguments: [(1, 10_000), (1_000, 10_000)])
    func loweredBurst(perSecond: Int, burst: Int) throws {
        var limits = BrokerLimits()
        limits.connectsPerSecondPerAddressMax = perSecond
        limits.connectBurstPerAddressMax = burst
        limits.connectsPerSecondMax = 100_000
        let address = try #require(PeerNetwork("192.0.2.1"))
        var ledger = AddressLedger(limits: limits)
        let now = Instant(nanoseconds: 1_000_000_000_000)
        for _ in 0..<burst { #expect(ledger.connected(address, at: now) == nil) }
        #expect(ledger.connected(address, at: now) == .addressRate)
        limits.connectsPerSecondPerAddressMax = 10
        limits.connectBurstPerAddressMax = 5
        limits.connectsPerSecondMax = 10
        ledger.take(limits)
        // As after a burst of the limits that hold now, for the address and for all together.
        #expect(ledger.connected(address, at: now) != nil)
        for _ in 0..<2 { #expect(ledger.connected(address, at: now.advanced(bySeconds: 0.2)) == nil) }
        #expect(ledger.connected(address, at: now.advanced(bySeconds: 0.2)) != nil)
    }

    @Test("Two clients that take an identifier from each other are slowed down to one connect a second")
    func takeovers() throws {
        let broker = SimulatedBroker(shards: 2)
        var accepted = 0
        for round in 0..<600 {  // a minute, ten attempts a second
            if try !open(of: broker, at: round % 2).answer.isEmpty { accepted += 1 }
            broker.advance(seconds: 0.1)
        }
        #expect(accepted == 10 + 59)
    }

    @Test("Another principal does not use up the rate of an identifier, nor do clients that prove nothing")
    func rateOfOthers() throws {
        let broker = SimulatedBroker(shards: 1)
        #expect(try open(of: broker, principal: "owner").answer.connack?.reasonCode == .success)
        for _ in 0..<40 { _ = try open(of: broker, principal: "thief") }
        for _ in 0..<5 { _ = try open(of: broker, anonymous: false, network: "198.51.100.1") }
        #expect(try open(of: broker, principal: "owner").answer.connack?.reasonCode == .success)
    }

    @Test("Where loopback is exempt nothing is limited, and nothing remembered")
    func exempt() throws {
        let broker = SimulatedBroker(shards: 1)
        for _ in 0..<100 {
            let client = SimulatedClient("a", of: broker)
            client.open(network: ListenerTerms().limited(PeerNetwork("127.0.0.1")))
            #expect(try client.exchange(.connect(Connect(clientID: "a"))) == [CremaAnswers.accepted])
        }
        #expect(broker.admission.tracked == (0, 0))
        #expect(ListenerTerms(limitLoopback: true).limited(PeerNetwork("127.0.0.1")) != nil)
        #expect(ListenerTerms().limited(PeerNetwork("192.0.2.1")) != nil)
    }

    private enum CremaAnswers {
        static let accepted = Packet.connack(Connack(sessionPresent: false, reasonCode: .success))
    }

    // MARK: Failures

    @Test("Each failure of an address doubles the time until the next one is told")
    func delays() throws {
        let broker = SimulatedBroker(shards: 1)
        for delay in [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5] {  // at most until the time for CONNECT is over
            let (client, answer) = try open(of: broker, anonymous: false)
            #expect(answer == [])
            client.send(ByteBuffer(repeating: 0x30, count: 10_000))
            #expect(client.socket?.connection.inbox.readableBytes == 0)
            broker.advance(seconds: delay - 0.001)
            #expect(try client.read() == [])
            broker.advance(seconds: 0.001)
            broker.settle()
            #expect(try client.read() == [.connack(Connack(sessionPresent: false, reasonCode: .notAuthorized))])
            #expect(!client.isConnected)
        }
        #expect(broker.closed == ["refused": 7])
        let (other, _) = try open(of: broker, anonymous: false, network: "192.0.2.2")
        broker.advance(seconds: 0.1)
        #expect(!other.isConnected)
    }

    @Test("A CONNECT whose refusal is told later counts meanwhile for what all strangers may have kept here")
    func keptWhileRefusing() throws {
        var limits = BrokerLimits()
        limits.connectBytesInAllMax = 1_000
        let broker = SimulatedBroker(shards: 1, limits: limits)
        func refused() throws -> SimulatedClient {
            let client = SimulatedClient("a", of: broker)
            client.open(allowsAnonymous: false, network: PeerNetwork("192.0.2.1"))
            let userName = String(repeating: "u", count: 1_600)
            #expect(try client.exchange(.connect(Connect(clientID: "a", userName: userName))) == [])
            return client
        }
        let first = try refused()
        #expect(first.isConnected)
        #expect(try !refused().isConnected)
        #expect(broker.closed == ["limit_exceeded": 1])
        broker.advance(seconds: 0.1)
        broker.settle()
        #expect(!first.isConnected)
        #expect(try refused().isConnected)
    }

    @Test("At ten failures the address is blocked for a minute: what it opens, and what it has open already")
    func blocked() throws {
        let broker = SimulatedBroker(shards: 2)
        let network = try #require(PeerNetwork("192.0.2.1"))
        let waiting = SimulatedClient("waiting", of: broker)
        waiting.open(at: 1, network: network)
        for shard in 0..<10 {
            #expect(broker.admission.connected(network, now: broker.now) == nil)
            _ = try open(of: broker, at: shard % 2, anonymous: false)
        }
        #expect(broker.admission.connected(network, now: broker.now) == "address_blocked")
        // Also one that could prove who it is.
        let refused = try waiting.exchange(.connect(Connect(clientID: "waiting", version: .v5)))
        #expect(refused == [.connack(Connack(sessionPresent: false, reasonCode: .banned))])
        let other = try #require(PeerNetwork("192.0.2.2"))
        #expect(broker.admission.connected(other, now: broker.now) == nil)
        broker.advance(seconds: 59.9)
        #expect(broker.admission.connected(network, now: broker.now) == "address_blocked")
        broker.advance(seconds: 0.1)
        #expect(broker.admission.connected(network, now: broker.now) == nil)
        var statistics = BrokerStatistics()
        broker.admission.count(into: &statistics)
        #expect(statistics.authenticationsFailed == 10)
        #expect(statistics.connectionsTurnedAway == ["address_blocked": 2])
    }

    @Test("After a minute without a failure all are forgotten; a success in between forgets none")
    func forgotten() throws {
        let broker = SimulatedBroker(shards: 1)
        let network = try #require(PeerNetwork("192.0.2.1"))
        for _ in 0..<9 {
            _ = try open(of: broker, anonymous: false)
            #expect(try open("good", of: broker, principal: "good").answer.connack?.reasonCode == .success)
        }
        broker.advance(seconds: 60)
        _ = try open(of: broker, anonymous: false)
        #expect(broker.admission.connected(network, now: broker.now) == nil)
        for _ in 0..<8 { _ = try open(of: broker, anonymous: false) }
        #expect(broker.admission.connected(network, now: broker.now) == nil)
        _ = try open(of: broker, anonymous: false)
        #expect(broker.admission.connected(network, now: broker.now) == "address_blocked")
    }

    @Test("Who is turned away by its address's rate keeps no place, and who finds no place takes nothing of the rate")
    func placesAndRates() throws {
        var limits = BrokerLimits()
        limits.connectionsMax = 2
        limits.connectBurstPerAddressMax = 1
        let admission = Admission(limits: limits)
        let networks = try (1...3).map { try #require(PeerNetwork("192.0.2.\($0)")) }
        let now = Instant(nanoseconds: 0)
        #expect(admission.takePlace(for: networks[0], now: now) == nil)
        for _ in 0..<5 { #expect(admission.takePlace(for: networks[0], now: now) == "address_rate") }
        #expect(admission.takePlace(for: networks[1], now: now) == nil)
        for _ in 0..<5 { #expect(admission.takePlace(for: networks[2], now: now) == "connections") }
        #expect(admission.takePlace(for: nil, now: now) == "connections")
        admission.leavePlace()
        #expect(admission.takePlace(for: networks[2], now: now) == nil)
    }

    // MARK: Memory

    @Test("However many addresses come, no more are remembered than the limit says, and the last ones are")
    func boundedMemory() throws {
        var limits = BrokerLimits()
        limits.addressesTrackedMax = 500
        limits.connectBurstPerAddressMax = 1
        limits.connectsPerSecondMax = .max
        var ledger = AddressLedger(limits: limits)
        let now = Instant(nanoseconds: 0)
        let good = try #require(PeerNetwork("192.0.2.1"))
        _ = ledger.connected(good, at: now)
        for number in 0..<20_000 {
            let network = try #require(PeerNetwork("2001:db8:\(String(number >> 16, radix: 16)):\(String(number & 0xFFFF, radix: 16))::1"))
            #expect(ledger.connected(network, at: now) == nil)
            #expect(ledger.connected(network, at: now) == .addressRate)
            if number % 100 == 0 { #expect(ledger.connected(good, at: now) == .addressRate) }
        }
        #expect(ledger.count <= 500)
        #expect(ledger.count > 250)
    }

    @Test("A flood from many addresses that the broker's rate turns away pushes out nothing that is remembered")
    func floodBeyondTheBrokersRate() throws {
        var limits = BrokerLimits()
        limits.addressesTrackedMax = 100
        limits.connectsPerSecondMax = 20
        limits.failedAuthenticationsMax = 1
        var ledger = AddressLedger(limits: limits)
        let now = Instant(nanoseconds: 0)
        let blocked = try #require(PeerNetwork("192.0.2.1"))
        #expect(ledger.connected(blocked, at: now) == nil)
        _ = ledger.failed(blocked, at: now)
        #expect(ledger.connected(blocked, at: now) == .addressBlocked)  // which is no token of the broker's
        for number in 0..<1_000 {
            let network = try #require(PeerNetwork("2001:db8:0:\(String(number, radix: 16))::1"))
            #expect(ledger.connected(network, at: now) == (number < 19 ? nil : .brokerRate))
        }
        #expect(ledger.count == 20)
        #expect(ledger.isBlocked(blocked, at: now))
    }

    // MARK: Addresses

    @Test(
        "An address of IPv6 counts with its /64 network, one of IPv4 as what it is",
        arguments: [
            ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("2001:db8::1", "2001:db8::2:3:4:5", true), ("2001:db8::1", "2001:db8:0:1::1", false), ("::1", "::2", false),
            ("0.0.0.1", "::1", false), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", true), ("::", "::2", true),
        ])
    func networks(one: String, other: String, areSame: Bool) throws {
        let (first, second) = (try #require(PeerNetwork(one)), try #require(PeerNetwork(other)))
        #expect((first == second) == areSame)
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.255.0.9", true), ("::1", true), ("::ffff:127.0.0.1", true), ("128.0.0.1", false), ("::2", false),
    ])
    func loopback(address: String, isLoopback: Bool) throws {
        #expect(PeerNetwork(address)?.isLoopback == isLoopback)
        let socketAddress = try SocketAddress(ipAddress: address, port: 1)
        #expect(PeerNetwork(socketAddress) == PeerNetwork(address))
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.256", "1.2.3.4.5", ":::", "1::2::3", "g::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1:2:3:4:5:6:7:8",
    ])
    func noAddress(text: String) {
        #expect(PeerNetwork(text) == nil)
    }
}
