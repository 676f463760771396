import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore

/// Two shards with a store, clients whose sessions outlive everything, and a process that dies at any step, driven by one seed.
final class CrashWorld {
    private static let steps = 250
    private static let topics = ["a", "a/b", "c"]
    private static let filters = ["a", "a/#", "+", "#"]

    private var broker: SimulatedBroker
    private var clients: [CrashClient] = []
    private var random: SeededRandom
    private var step = 0
    private let limits: BrokerLimits
    private(set) var history: [String] = []

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        var limits = BrokerLimits()
        limits.inflightMax = Int.random(in: 1...6, using: &random)
        limits.receiveMaximum = CrashClient.openMax
        self.limits = limits
        broker = SimulatedBroker(shards: 2, limits: limits, store: SimulatedStore())
        for number in 0..<Int.random(in: 2...5, using: &random) {
            clients.append(CrashClient("c\(number)", version: number % 2 == 0 ? .v311 : .v5))
        }
    }

    func run() throws {
        while step < Self.steps {
            step += 1
            try act()
            for _ in 0..<4 { try move() }
        }
        try recover()
        try checkCompleteness()
    }

    // MARK: What happens

    private func act() throws {
        let client = clients[Int.random(in: 0..<clients.count, using: &random)]
        let choice = Int.random(in: 0..<100, using: &random)
        if choice < 3 { return crash() }
        guard client.isConnected else { return connect(client, at: Int.random(in: 0..<2, using: &random)) }
        guard client.isEstablished else { return }
        switch choice {
        case 3..<60:
            let qos = QoS(rawValue: UInt8.random(in: 1...2, using: &random)) ?? .atLeastOnce
            let topic = Self.topics[Int.random(in: 0..<Self.topics.count, using: &random)]
            if let name = client.publish(topic: topic, qos: qos, retain: random.happens(percent: 10), at: step) {
                note("publishes \(name)")
            }
        case 60..<75:
            let filter = Self.filters[Int.random(in: 0..<Self.filters.count, using: &random)]
            let qos = QoS(rawValue: UInt8.random(in: 1...2, using: &random)) ?? .atLeastOnce
            if client.subscribe(filter, qos: qos) { note("\(client.clientID) subscribes \(filter) at \(qos.rawValue)") }
        case 75..<85: lose(client)
        default: break
        }
    }

    private func connect(_ client: CrashClient, at shard: Int) {
        note("\(client.clientID) connects at \(shard)")
        let info = ConnectionInfo(peer: "\(client.clientID):\(step)", listener: "simulated", allowsAnonymous: true)
        client.connect(on: broker.connect(at: shard, info: info))
    }

    private func lose(_ client: CrashClient) {
        guard let socket = client.socket else { return }
        note("\(client.clientID) loses its connection")
        broker.lose(socket)
        client.isGone()
    }

    /// The process is gone, with everything that is not on disk; another one begins.
    private func crash() {
        note("crash")
        guard let store = broker.store?.afterCrash() else { return }
        for client in clients { client.isGone() }
        broker = SimulatedBroker(shards: 2, limits: limits, store: store, now: broker.now)
    }

    private func move() throws {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: broker.endTurn(of: 0)
        case 1: broker.endTurn(of: 1)
        case 2: _ = broker.deliverHandOff(to: 1)
        case 3: _ = broker.deliverHandOff(to: 0)
        case 4: broker.commit(atMost: Int.random(in: 1...3, using: &random))
        default:
            let client = clients[Int.random(in: 0..<clients.count, using: &random)]
            if random.happens(percent: 50) { deliverToBroker(client) } else { try client.read(at: step, repeated: repeated) }
        }
    }

    private func deliverToBroker(_ client: CrashClient) {
        guard let socket = client.socket, !socket.isClosed, client.toBroker.readableBytes > 0 else { return }
        broker.receive(client.takeBytes(), from: socket)
    }

    private var repeated: Set<MessageName> { clients.reduce(into: []) { $0.formUnion($1.repeated) } }

    // MARK: The end

    private func recover() throws {
        step += 1
        note("recovery")
        for _ in 1...1_000 {
            for client in clients where !client.isConnected { connect(client, at: 0) }
            for client in clients {
                deliverToBroker(client)
                broker.settle()
                try client.read(at: step, repeated: repeated)
            }
            if broker.isSettled, clients.allSatisfy(\.isQuiet) { return }
        }
        throw BrokenPromise("the broker does not come to rest")
    }

    private func checkCompleteness() throws(BrokenPromise) {
        for publisher in clients {
            for (name, sentAt) in publisher.acknowledged {
                for subscriber in clients {
                    for (filter, since) in subscriber.confirmed
                    where since < sentAt && Topics.matches(name: name.topic, filter: filter) && !subscriber.has(name) {
                        throw BrokenPromise("\(subscriber.clientID) never got \(name), subscribed by \(filter) since \(since)")
                    }
                }
            }
        }
    }

    private func note(_ text: String) {
        history.append("\(step): \(text)")
        if history.count > 400 { history.removeFirst(200) }
    }
}
