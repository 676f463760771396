import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore

/// Two shards, up to a dozen clients of both versions and a bad network, driven by one seed.
final class SimulatedWorld {
    let broker: SimulatedBroker
    let clients: [ModelClient]
    let chronicle = Chronicle()
    private var random: SeededRandom
    private var step = 0
    /// Whether clients give passwords, which are looked at after a while.
    private let asksPasswords: Bool
    /// Connections of those who know no password.
    private var strangers: [SimulatedSocket] = []
    private(set) var history: [String] = []

    /// Steps of one world's life.
    static let steps = 150
    /// QoS 1 and 2 messages that the broker takes at once from one client.
    static let receiveMaximum = 8
    private static let topics = ["a", "a/b", "a/c", "b", "w/1", "w/2"]
    /// `#` gets the work of the groups, too, so that members do without it.
    private static let filters = ["a", "a/b", "a/#", "+/c", "b", "a/+", "will/+", "#"]
    private static let groups = ["$share/g/w/#", "$share/h/w/1"]

    /// `hasStore`: answers wait for a disk, which is written to as the seed will have it.
    init(seed: UInt64, hasStore: Bool = false) {
        random = SeededRandom(seed: seed)
        var limits = BrokerLimits()
        limits.inflightMax = Int.random(in: 1...8, using: &random)
        limits.outboundBytesMax = 400
        limits.receiveMaximum = Self.receiveMaximum
        limits.topicAliasesMax = 3
        if seed % 4 < 2 { limits.topicsTrackedMax = 0 }  // then messages that follow each other go together from the first on
        asksPasswords = seed % 3 == 0
        broker = SimulatedBroker(
            shards: 2, limits: limits, authorizer: asksPasswords ? LatePasswords() : ListenerAuthorizer(),
            store: hasStore ? SimulatedStore() : nil)
        let count = Int.random(in: 5...12, using: &random)
        var clients: [ModelClient] = []
        for number in 0..<count {
            let group = number % 2 == 0 ? nil : number < 8 ? Self.groups[0] : Self.groups[1]
            clients.append(
                ModelClient(
                    clientID: "c\(number)", group: group, chronicle: chronicle, inflightMax: limits.inflightMax,
                    password: asksPasswords ? LatePasswords.password : nil))
        }
        self.clients = clients
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
        if asksPasswords, random.happens(percent: 10) { try guess(at: client) }
        try noticeClosed(client)
        guard client.isConnected else { return connect(client) }
        guard client.isEstablished else {
            if client.mustCleanStart && client.isLeaving { return connect(client) }
            // It has no patience with whoever looks at its password, who may still do so.
            if asksPasswords, !client.isLeaving, random.happens(percent: 20) { return connect(client) }
            if random.happens(percent: 5) { lose(client) }
            return
        }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<42: publish(client)
        case 42..<62: subscribe(client)
        case 62..<66: unsubscribe(client)
        case 66..<74: lose(client)
        case 74..<80: connect(client)
        case 80..<84: disconnect(client)
        case 84..<90: if let socket = client.socket { broker.setWritable(socket, !socket.acceptsBytes) }
        default:
            let isLong = random.happens(percent: 20)
            try advance(seconds: Double.random(in: 0..<(isLong ? 12 : 3), using: &random), settling: random.happens(percent: 70))
        }
    }

    private func connect(_ client: ModelClient) {
        let shard = Int.random(in: 0..<2, using: &random)
        // Nobody knows what came of an attempt that had no answer: who comes again comes as before, or the model could not tell.
        let isUnanswered = client.outlook.failures > 0 || client.isConnected && !client.isEstablished && !client.isLeaving
        let terms = isUnanswered ? client.terms : newTerms(for: client)
        note(
            """
            \(client.clientID) connects at shard \(shard)\(client.isConnected ? ", taking itself over," : "") by \(terms.version), \
            clean \(terms.cleanStart), expiry \(terms.expirySeconds)
            """)
        let info = ConnectionInfo(peer: "\(client.clientID):\(step)", listener: "simulated", allowsAnonymous: true)
        if let will = client.overtakable, !broker.isSettled { chronicle.fates[will] = nil }
        client.overtakable = nil
        client.connect(on: broker.connect(at: shard, info: info), terms, now: broker.now, step: step)
    }

    private func newTerms(for client: ModelClient) -> ConnectTerms {
        var terms = ConnectTerms()
        let isTransient = client.clientID.utf8.reduce(0) { $0 &+ Int($1) } % 3 == 0
        terms.cleanStart = client.mustCleanStart || random.happens(percent: isTransient ? 60 : 5)
        if random.happens(percent: 30) { terms.willQoS = anyQoS() }
        guard random.happens(percent: 60) else {
            terms.expirySeconds = terms.cleanStart ? 0 : BrokerLimits().sessionExpirySecondsMax
            return terms
        }
        terms.version = .v5
        terms.expirySeconds = pick(isTransient ? [0, 0, 2, 10] : [2, 10, 1_000, 1_000])
        if random.happens(percent: 50) { terms.receiveMaximum = UInt16.random(in: 1...4, using: &random) }
        if random.happens(percent: 25) { terms.maximumPacketSize = UInt32.random(in: 64...100, using: &random) }
        terms.topicAliasMaximum = UInt16.random(in: 0...3, using: &random)
        terms.willDelaySeconds = pick([0, 2, 30])
        return terms
    }

    private func publish(_ client: ModelClient) {
        let topic = pick(Self.topics)
        var qos = anyQoS()
        if !client.mayPublish { qos = .atMostOnce }
        let expiry: UInt32? = random.happens(percent: 20) ? UInt32.random(in: 1...4, using: &random) : nil
        note("\(client.clientID) publishes \(topic) at \(qos.rawValue)\(expiry.map { ", for \($0) s" } ?? "")")
        client.publish(
            topic: topic, qos: qos, retain: random.happens(percent: 15), isLarge: random.happens(percent: 5), expirySeconds: expiry,
            usesAlias: random.happens(percent: 50), at: step)
    }

    private func subscribe(_ client: ModelClient) {
        var options = Subscribe.Request(filter: "", qos: anyQoS())
        options.retainAsPublished = random.happens(percent: 30)
        if let group = client.group, random.happens(percent: 50) {
            // At QoS 0 a member that is away loses what it is chosen for.
            options.qos = max(options.qos, .atLeastOnce)
            note("\(client.clientID) subscribes \(group) at \(options.qos.rawValue)")
            return client.subscribe(group, options: options, identifier: random.happens(percent: 50) ? 200 : 0)
        }
        let place = Int.random(in: 0..<Self.filters.count - (client.group == nil ? 0 : 1), using: &random)
        options.noLocal = random.happens(percent: 20)
        options.retainHandling = pick([.sendAtSubscribe, .sendAtSubscribe, .sendIfNew, .doNotSend])
        note("\(client.clientID) subscribes \(Self.filters[place]) at \(options.qos.rawValue)")
        client.subscribe(Self.filters[place], options: options, identifier: random.happens(percent: 50) ? UInt32(place + 1) : 0)
    }

    private func unsubscribe(_ client: ModelClient) {
        let filters = client.filters.keys.sorted()
        guard !filters.isEmpty else { return }
        let filter = pick(filters)
        note("\(client.clientID) unsubscribes \(filter)")
        client.unsubscribe(filter)
    }

    private func disconnect(_ client: ModelClient) {
        let isNormal = random.happens(percent: 70)
        note("\(client.clientID) disconnects\(isNormal ? "" : " with its will")")
        client.disconnect(isNormal: isNormal, expirySeconds: random.happens(percent: 30) ? pick([0, 2, 1_000]) : nil, at: step)
    }

    private func lose(_ client: ModelClient) {
        guard let socket = client.socket, !socket.isClosed else { return }
        note("\(client.clientID) loses its connection")
        client.connectionEnds(at: broker.now, step: step, isTakenOver: false)
        broker.lose(socket)
        socket.toClient.clear()
    }

    /// The broker closes what said goodbye, and what sent no CONNECT in time.
    private func noticeClosed(_ client: ModelClient) throws(BrokenPromise) {
        guard client.isOpen, !client.isConnected else { return }
        if client.isEstablished { throw BrokenPromise("step \(step), \(client.clientID): the broker closed the connection") }
        client.connectionEnds(at: broker.now, step: step, isTakenOver: false)
    }

    // MARK: Passwords

    /// Somebody comes as the client, with another password.
    private func guess(at client: ModelClient) throws(BrokenPromise) {
        for socket in strangers where socket.toClient.readableBytesView.starts(with: [0x20, 2, 0, 0]) {
            throw BrokenPromise("step \(step): somebody who knows no password is let in")
        }
        if strangers.count > 3 { broker.lose(strangers.removeFirst()) }
        note("somebody tries to be \(client.clientID)")
        let info = ConnectionInfo(peer: "stranger:\(step)", listener: "simulated", allowsAnonymous: true)
        let socket = broker.connect(at: Int.random(in: 0..<2, using: &random), info: info)
        strangers.append(socket)
        var bytes = ByteBuffer()
        let connect = Connect(
            clientID: client.clientID, cleanStart: random.happens(percent: 50), userName: client.clientID,
            password: ByteBuffer(string: "guess"))
        Packet.connect(connect).encode(into: &bytes, version: .v311)
        broker.receive(bytes, from: socket)
    }

    /// One of the passwords that wait is looked at, in no order.
    private func answerCheck() {
        let shard = Int.random(in: 0..<2, using: &random)
        let count = broker.nodes[shard].checks.count
        if count > 0 { _ = broker.answerCheck(of: shard, at: Int.random(in: 0..<count, using: &random)) }
    }

    private func anyQoS() -> QoS { QoS(rawValue: UInt8.random(in: 0...2, using: &random)) ?? .atMostOnce }

    private func pick<Choice>(_ choices: [Choice]) -> Choice { choices[Int.random(in: 0..<choices.count, using: &random)] }

    // MARK: Network and time

    private func advance(seconds: Double, settling: Bool) throws {
        if settling { broker.settle(checking: !asksPasswords || random.happens(percent: 50)) }
        for client in clients { try noticeClosed(client) }
        if !broker.isSettled { chronicle.lastUnsettled = broker.now }
        for client in clients { client.mark(at: broker.now) }
        note("the clock moves \(seconds) s\(broker.isSettled ? "" : ", with something under way")")
        broker.advance(seconds: seconds)
        for client in clients { try noticeClosed(client) }
    }

    /// One random movement: a turn ends, a hand-off arrives, bytes reach the broker or a client, something is on disk.
    private func moveNetwork() throws {
        if asksPasswords, random.happens(percent: 15) { return answerCheck() }
        switch Int.random(in: 0..<(broker.store == nil ? 6 : 7), using: &random) {
        case 0: broker.endTurn(of: 0)
        case 1: broker.endTurn(of: 1)
        case 2: _ = broker.deliverHandOff(to: 1)
        case 3: _ = broker.deliverHandOff(to: 0)
        case 6: broker.commit(atMost: Int.random(in: 1...4, using: &random))
        default:
            let client = clients[Int.random(in: 0..<clients.count, using: &random)]
            if random.happens(percent: 50) { deliverToBroker(client, all: false) } else { try deliverToClient(client, all: false) }
        }
    }

    private func deliverToBroker(_ client: ModelClient, all: Bool) {
        guard let socket = client.socket, !socket.isClosed, socket.isRead, client.toBroker.readableBytes > 0 else { return }
        let available = client.toBroker.readableBytes
        let length = all || random.happens(percent: 60) ? available : Int.random(in: 1...available, using: &random)
        guard let bytes = client.toBroker.readSlice(length: length) else { return }
        client.delivered(length, at: broker.now)
        broker.receive(bytes, from: socket)
    }

    private func deliverToClient(_ client: ModelClient, all: Bool) throws {
        guard let socket = client.socket, socket.toClient.readableBytes > 0 else { return }
        let available = socket.toClient.readableBytes
        let length = all || random.happens(percent: 60) ? available : Int.random(in: 1...available, using: &random)
        guard let bytes = socket.toClient.readSlice(length: length) else { return }
        do { try client.read(bytes, now: broker.now, step: step) } catch {
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
        for round in 1...1_000 {
            broker.settle()
            for client in clients {
                try noticeClosed(client)
                if !client.isConnected || client.isLeaving && client.mustCleanStart { comeBack(client) }
            }
            for client in clients {
                deliverToBroker(client, all: true)
                try deliverToClient(client, all: true)
            }
            broker.settle()
            if isQuiet { return }
            if round % 50 == 0 { try advance(seconds: 0.2, settling: true) }
        }
        throw BrokenPromise("the broker does not come to rest")
    }

    private func comeBack(_ client: ModelClient) {
        var terms = client.terms
        if client.outlook.failures == 0 {
            terms = ConnectTerms(version: pick([.v311, .v5]), cleanStart: client.mustCleanStart, expirySeconds: 1_000)
            if terms.version == .v311 { terms.expirySeconds = terms.cleanStart ? 0 : BrokerLimits().sessionExpirySecondsMax }
        }
        terms.willQoS = nil
        note("\(client.clientID) comes back by \(terms.version), clean \(terms.cleanStart)")
        let info = ConnectionInfo(peer: "\(client.clientID):back", listener: "simulated", allowsAnonymous: true)
        if let will = client.overtakable, !broker.isSettled { chronicle.fates[will] = nil }
        client.overtakable = nil
        client.connect(on: broker.connect(at: 0, info: info), terms, now: broker.now, step: step)
    }

    private var isQuiet: Bool {
        clients.allSatisfy { client in
            guard let socket = client.socket, !socket.isClosed, client.isEstablished else { return false }
            return client.toBroker.readableBytes == 0 && socket.toClient.readableBytes == 0
        } && broker.isSettled
    }

    private func note(_ text: @autoclosure () -> String) {
        history.append("\(step): \(text())")
        if history.count > 400 { history.removeFirst(200) }
    }
}
