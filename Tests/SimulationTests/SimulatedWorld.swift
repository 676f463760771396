import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore

/// Two shards, a dozen clients and a bad network, driven by one seed.
final class SimulatedWorld {
    private let broker: SimulatedBroker
    private var random: SeededRandom
    private var clients: [ModelClient] = []
    private var step = 0
    private(set) var history: [String] = []

    private static let topics = ["a", "a/b", "a/c", "b"]
    private static let filters = ["a", "a/b", "a/#", "+/c", "#", "b", "a/+"]

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        var limits = BrokerLimits()
        limits.inflightMax = Int.random(in: 1...8, using: &random)
        limits.outboundBytesMax = 400
        broker = SimulatedBroker(shards: 2, limits: limits)
        let repetitions = Repetitions()
        for number in 0..<12 {
            clients.append(ModelClient(clientID: "c\(number)", cleanSession: number % 3 == 2, repetitions: repetitions))
        }
    }

    func run(steps: Int) throws {
        while step < steps {
            step += 1
            try act()
            for _ in 0..<4 { try moveNetwork() }
        }
        try recover()
        try checkCompleteness()
    }

    // MARK: Clients

    private func act() throws {
        let client = clients[Int.random(in: 0..<clients.count, using: &random)]
        guard client.isConnected else { return connect(client) }
        guard client.isEstablished else {
            if random.happens(percent: 5) { lose(client) }
            return
        }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<45: publish(client)
        case 45..<70:
            let filter = Self.filters[Int.random(in: 0..<Self.filters.count, using: &random)]
            let qos = QoS(rawValue: UInt8.random(in: 0...2, using: &random)) ?? .atMostOnce
            note("\(client.clientID) subscribes \(filter) at \(qos.rawValue)")
            client.subscribe(filter, qos: qos)
        case 70..<74:
            guard let filter = client.filters.sorted().first else { return }
            note("\(client.clientID) unsubscribes \(filter)")
            client.unsubscribe(filter)
        case 74..<82: lose(client)
        case 82..<88:
            note("\(client.clientID) takes itself over")
            connect(client)
        case 88..<90: client.disconnect()
        case 90..<96:
            if let socket = client.socket { broker.setWritable(socket, !socket.acceptsBytes) }
        default: broker.advance(seconds: Double.random(in: 0..<3, using: &random))
        }
    }

    private func connect(_ client: ModelClient) {
        let shard = Int.random(in: 0..<2, using: &random)
        note("\(client.clientID) connects at shard \(shard)")
        let info = ConnectionInfo(peer: "\(client.clientID):\(step)", listener: "simulated", allowsAnonymous: true)
        client.connect(on: broker.connect(at: shard, info: info), will: nil)
    }

    private func publish(_ client: ModelClient) {
        let topic = Self.topics[Int.random(in: 0..<Self.topics.count, using: &random)]
        let qos = QoS(rawValue: UInt8.random(in: 0...2, using: &random)) ?? .atMostOnce
        note("\(client.clientID) publishes \(topic) at \(qos.rawValue)")
        client.publish(topic: topic, qos: qos, retain: random.happens(percent: 15), at: step)
    }

    private func lose(_ client: ModelClient) {
        guard let socket = client.socket else { return }
        note("\(client.clientID) loses its connection")
        broker.lose(socket)
    }

    // MARK: Network

    /// One random movement: a turn ends, a hand-off arrives, bytes reach the broker or a client.
    private func moveNetwork() throws {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: broker.endTurn(of: 0)
        case 1: broker.endTurn(of: 1)
        case 2: _ = broker.deliverHandOff(from: 0, to: 1)
        case 3: _ = broker.deliverHandOff(from: 1, to: 0)
        default:
            let client = clients[Int.random(in: 0..<clients.count, using: &random)]
            if random.happens(percent: 50) { deliverToBroker(client, all: false) } else { try deliverToClient(client, all: false) }
        }
    }

    private func deliverToBroker(_ client: ModelClient, all: Bool) {
        guard let socket = client.socket, !socket.isClosed, client.toBroker.readableBytes > 0 else { return }
        let available = client.toBroker.readableBytes
        let length = all || random.happens(percent: 60) ? available : Int.random(in: 1...available, using: &random)
        guard let bytes = client.toBroker.readSlice(length: length) else { return }
        broker.receive(bytes, from: socket)
    }

    private func deliverToClient(_ client: ModelClient, all: Bool) throws {
        guard let socket = client.socket, socket.toClient.readableBytes > 0 else { return }
        let available = socket.toClient.readableBytes
        let length = all || random.happens(percent: 60) ? available : Int.random(in: 1...available, using: &random)
        guard let bytes = socket.toClient.readSlice(length: length) else { return }
        do { try client.read(bytes, at: step) } catch {
            throw BrokenPromise("step \(step), \(client.clientID): \(error)")
        }
    }

    // MARK: The end

    /// Everybody comes back, and everything under way arrives.
    private func recover() throws {
        step += 1
        note("recovery")
        for client in clients {
            if let socket = client.socket, !socket.isClosed { broker.setWritable(socket, true) }
        }
        for _ in 0..<1_000 {
            broker.settle()
            // Persistent sessions come back; a clean one that is gone has nothing left to get.
            for client in clients where !client.isConnected && !client.cleanSession { connect(client) }
            for client in clients {
                deliverToBroker(client, all: true)
                try deliverToClient(client, all: true)
            }
            broker.settle()
            if isQuiet { return }
        }
        throw BrokenPromise("the broker does not come to rest")
    }

    private var isQuiet: Bool {
        clients.allSatisfy { client in
            guard let socket = client.socket, !socket.isClosed else { return true }
            return client.toBroker.readableBytes == 0 && socket.toClient.readableBytes == 0
        } && broker.nodes.allSatisfy { !$0.turnIsOpen }
    }

    private func checkCompleteness() throws(BrokenPromise) {
        for client in clients where !client.cleanSession {
            if let open = client.unfinished.first { throw BrokenPromise("\(client.clientID): \(open.name) was never acknowledged") }
        }
        let acknowledged = clients.flatMap(\.acknowledged)
        for subscriber in clients where !subscriber.cleanSession {
            for (filter, confirmed) in subscriber.confirmed.sorted(by: { $0.key < $1.key }) where confirmed.qos > .atMostOnce {
                for (name, sentAt) in acknowledged where sentAt > confirmed.since {
                    guard Topics.matches(name: name.topic, filter: filter) else { continue }
                    if subscriber.ledger.seen[name] == nil {
                        throw BrokenPromise("\(subscriber.clientID) never got \(name), subscribed by \(filter) since \(confirmed.since)")
                    }
                }
            }
        }
        // A client that left for a connection that then failed may still have its old one, but never two.
        let connected = broker.nodes.flatMap { $0.core.clientSummaries() }.filter(\.connected).map(\.clientID)
        if Set(connected).count != connected.count { throw BrokenPromise("a client identifier has two connections: \(connected.sorted())") }
        for client in clients where client.isConnected && !connected.contains(client.clientID) {
            throw BrokenPromise("\(client.clientID) is connected and has no session")
        }
    }

    private func note(_ text: @autoclosure () -> String) {
        history.append("\(step): \(text())")
        if history.count > 400 { history.removeFirst(200) }
    }
}
