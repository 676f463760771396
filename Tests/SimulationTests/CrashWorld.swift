import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore

/// A few shards with a store, clients whose sessions outlive everything, and a process that dies at any step, driven by one seed.
final class CrashWorld {
    private static let steps = 250
    private static let work = "w"
    private static let topics = ["a", "a/b", "c", work]
    private static let filters = ["a", "a/#", "+", "#", "will/#"]
    /// What workers take turns in.
    private static let sharedFilter = "$share/g/w"

    private var broker: SimulatedBroker
    private var clients: [CrashClient] = []
    private var random: SeededRandom
    private var step = 0
    private let limits: BrokerLimits
    /// Whether workers end their sessions before they are done; one of them never does.
    private let hasLeavers: Bool
    /// Whether the process after a crash may have another number of event loops.
    private let changesShards: Bool
    private var shards = 2
    private(set) var history: [String] = []

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        var limits = BrokerLimits()
        limits.inflightMax = Int.random(in: 1...6, using: &random)
        limits.receiveMaximum = CrashClient.openMax
        self.limits = limits
        hasLeavers = seed % 2 == 0
        changesShards = seed % 3 == 0
        broker = SimulatedBroker(shards: 2, limits: limits, store: SimulatedStore())
        for number in 0..<Int.random(in: 2...5, using: &random) {
            let willQoS = QoS(rawValue: UInt8.random(in: 0...2, using: &random))
            clients.append(
                CrashClient("c\(number)", version: number % 2 == 0 ? .v311 : .v5, willQoS: willQoS == .atMostOnce ? nil : willQoS))
        }
        for number in 0..<Int.random(in: 0...3, using: &random) {
            clients.append(CrashClient("w\(number)", version: .v5, isWorker: true))
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
        guard client.isConnected else { return connect(client, at: Int.random(in: 0..<shards, using: &random)) }
        guard client.isEstablished else { return }
        if client.isWorker { return actAsWorker(client, choice) }
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

    private func actAsWorker(_ client: CrashClient, _ choice: Int) {
        switch choice {
        case 3..<50: if client.subscribe(Self.sharedFilter, qos: .exactlyOnce) { note("\(client.clientID) begins to work") }
        case 50..<75: lose(client)
        case 75..<90:
            guard hasLeavers, client.clientID != "w0" else { return }
            note("\(client.clientID) leaves")
            client.leave()
            deliverToBroker(client)
            lose(client)
        default: break
        }
    }

    private func connect(_ client: CrashClient, at shard: Int) {
        note("\(client.clientID) connects at \(shard)")
        let info = ConnectionInfo(peer: "\(client.clientID):\(step)", listener: "simulated", allowsAnonymous: true)
        client.connect(on: broker.connect(at: shard, info: info), at: step)
    }

    private func lose(_ client: CrashClient) {
        guard let socket = client.socket else { return }
        note("\(client.clientID) loses its connection")
        broker.lose(socket)
        client.isGone()
    }

    /// The process is gone, with everything that is not on disk; another one begins.
    private func crash() {
        note("crash of \(shards) shards")
        guard let store = broker.store?.afterCrash() else { return }
        for client in clients { client.isGone() }
        if changesShards { shards = Int.random(in: 1...3, using: &random) }
        broker = SimulatedBroker(shards: shards, limits: limits, store: store, now: broker.now)
    }

    private func move() throws {
        switch Int.random(in: 0..<8, using: &random) {
        case 0...1: broker.endTurn(of: Int.random(in: 0..<shards, using: &random))
        case 2...3: _ = broker.deliverHandOff(to: Int.random(in: 0..<shards, using: &random))
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
        let unquiet = clients.filter { !$0.isQuiet }.map(\.clientID)
        throw BrokenPromise("the broker does not come to rest: settled: \(broker.isSettled), not quiet: \(unquiet)")
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
                try checkWork(name, sentAt)
            }
        }
        try checkWorkAtQoS2()
    }

    /// Somebody has done the work, if there was a worker all the time.
    ///
    /// What a worker has begun to receive at QoS 2 ends with its session [MQTT5-4.8.2-5].
    private func checkWork(_ name: MessageName, _ sentAt: Int) throws(BrokenPromise) {
        guard name.topic == Self.work, name.qos == .atLeastOnce || !hasLeavers else { return }
        let workers = clients.filter(\.isWorker)
        guard let since = workers.first?.confirmed[Self.sharedFilter], since < sentAt else { return }
        if !workers.contains(where: { $0.has(name) }) { throw BrokenPromise("no worker ever got \(name)") }
    }

    private func checkWorkAtQoS2() throws(BrokenPromise) {
        let workers = clients.filter(\.isWorker)
        for name in workers.flatMap(\.exactlyOnce) where workers.reduce(0, { $0 + $1.receptions(of: name) }) > 1 {
            throw BrokenPromise("the workers got \(name) twice at QoS 2")
        }
    }

    private func note(_ text: String) {
        history.append("\(step): \(text)")
        if history.count > 400 { history.removeFirst(200) }
    }
}
