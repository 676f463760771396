import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore

/// A client whose session outlives every connection and every crash, and what it holds the broker to.
final class CrashClient {
    struct Unfinished {
        var name: MessageName
        var packet: Publish
        var isReleased = false
    }

    /// QoS 2 messages that the broker takes at once.
    static let openMax = 8
    private static let expirySeconds: UInt32 = 100_000

    let clientID: String
    /// Takes its share of the work with others; its session may end before it is done.
    let isWorker: Bool
    private let version: ProtocolVersion
    private(set) var socket: SimulatedSocket?
    private(set) var toBroker = ByteBuffer()
    private var unread = ByteBuffer()
    private(set) var isEstablished = false
    private var hasSession = false

    private var lastPacketID: UInt16 = 0
    private var numbers: [String: Int] = [:]
    private var unfinished: [Unfinished] = []
    private var sentAt: [MessageName: Int] = [:]
    /// With the step in which each was sent first.
    private(set) var acknowledged: [(name: MessageName, sentAt: Int)] = []

    /// What was sent again: to a subscription that was made in between, it is new.
    private(set) var repeated: Set<MessageName> = []

    private var subscribing: [UInt16: String] = [:]
    private var asked: Set<String> = []
    /// Filters, and the step in which SUBACK came.
    private(set) var confirmed: [String: Int] = [:]
    private var begun: Set<UInt16> = []
    private var seen: [MessageName: Int] = [:]
    private var seenExactlyOnce: Set<MessageName> = []
    private var retained: Set<MessageName> = []
    private var newest: [String: Int] = [:]
    /// Of each connection the will, if it leaves one, and the step in which it connected.
    private let willQoS: QoS?
    private var connections = 0
    private var will: (name: MessageName, sentAt: Int)?

    init(_ clientID: String, version: ProtocolVersion, willQoS: QoS? = nil, isWorker: Bool = false) {
        self.clientID = clientID
        self.version = version
        self.willQoS = willQoS
        self.isWorker = isWorker
    }

    var isConnected: Bool { socket.map { !$0.isClosed } ?? false }
    var isQuiet: Bool {
        isEstablished && unfinished.isEmpty && toBroker.readableBytes == 0 && socket?.toClient.readableBytes == 0
    }
    func has(_ name: MessageName) -> Bool { seen[name] != nil || retained.contains(name) }
    func receptions(of name: MessageName) -> Int { seen[name, default: 0] }
    /// Messages at QoS 2 that came.
    var exactlyOnce: [MessageName] { seen.keys.filter { $0.qos == .exactlyOnce } }

    // MARK: Actions

    func connect(on socket: SimulatedSocket, at step: Int) {
        isGone()
        self.socket = socket
        var connect = Connect(clientID: clientID, cleanStart: isWorker && !hasSession, keepAlive: 0, version: version)
        if version == .v5 { connect.properties.sessionExpiryInterval = Self.expirySeconds }
        if let willQoS {
            connections += 1
            let name = MessageName(publisher: clientID, topic: "will/\(clientID)", qos: willQoS, number: connections)
            connect.will = Will(
                topic: ByteBuffer(string: name.topic), payload: ByteBuffer(string: name.payload), qos: willQoS, retain: false)
            will = (name, step)
        }
        write(.connect(connect))
    }

    /// Ends the session with the connection, whatever it has waiting.
    func leave() {
        var packet = Disconnect(reasonCode: .normalDisconnection)
        packet.properties.sessionExpiryInterval = 0
        write(.disconnect(packet))
        hasSession = false
        confirmed = [:]
        begun = []
    }

    func isGone() {
        if isEstablished, let will { acknowledged.append(will) }
        will = nil
        socket?.toClient.clear()
        socket = nil
        isEstablished = false
        toBroker = ByteBuffer()
        unread = ByteBuffer()
        // A SUBSCRIBE that was not answered may be asked again.
        asked = Set(confirmed.keys)
        subscribing = [:]
    }

    func publish(topic: String, qos: QoS, retain: Bool, at step: Int) -> MessageName? {
        guard unfinished.count < Self.openMax else { return nil }
        let key = "\(topic) \(qos.rawValue)"
        numbers[key, default: 0] += 1
        let name = MessageName(publisher: clientID, topic: topic, qos: qos, number: numbers[key, default: 0])
        var packet = Publish(topic: ByteBuffer(string: topic), payload: ByteBuffer(string: name.payload), qos: qos, retain: retain)
        packet.packetID = nextPacketID()
        sentAt[name] = step
        unfinished.append(Unfinished(name: name, packet: packet))
        write(.publish(packet))
        return name
    }

    func subscribe(_ filter: String, qos: QoS) -> Bool {
        guard asked.insert(filter).inserted else { return false }
        let packetID = nextPacketID()
        subscribing[packetID] = filter
        write(.subscribe(Subscribe(packetID: packetID, requests: [Subscribe.Request(filter: filter, qos: qos)])))
        return true
    }

    private func nextPacketID() -> UInt16 {
        lastPacketID = lastPacketID == .max ? 1 : lastPacketID + 1
        return lastPacketID
    }

    /// What is on its way to the broker.
    func takeBytes() -> ByteBuffer {
        defer { toBroker = ByteBuffer() }
        return toBroker
    }

    private func write(_ packet: Packet) { packet.encode(into: &toBroker, version: version) }

    // MARK: Reading

    func read(at step: Int, repeated: Set<MessageName>) throws {
        guard let socket else { return }
        unread.writeImmutableBuffer(socket.toClient)
        socket.toClient.clear()
        while let packet = try Packet.read(from: &unread, version: version, sender: .server) {
            try handle(packet, at: step, repeated)
        }
    }

    private func handle(_ packet: Packet, at step: Int, _ repeated: Set<MessageName>) throws(BrokenPromise) {
        guard isEstablished else {
            guard case .connack(let connack) = packet, connack.reasonCode == .success else { throw BrokenPromise("\(packet) for CONNECT") }
            return try established(connack)
        }
        switch packet {
        case .publish(let publish): try receive(publish, repeated)
        case .puback(let puback): finish(puback.packetID)
        case .pubrec(let pubrec):
            if let place = unfinished.firstIndex(where: { $0.packet.packetID == pubrec.packetID }) {
                if !unfinished[place].isReleased { acknowledge(unfinished[place].name) }
                unfinished[place].isReleased = true
            }
            write(.pubrel(packetID: pubrec.packetID))
        case .pubcomp(let pubcomp): finish(pubcomp.packetID)
        case .pubrel(let pubrel):
            begun.remove(pubrel.packetID)
            write(.pubcomp(packetID: pubrel.packetID))
        case .suback(let suback):
            if let filter = subscribing.removeValue(forKey: suback.packetID) { confirmed[filter] = step }
        default: throw BrokenPromise("\(clientID) got \(packet)")
        }
    }

    private func established(_ connack: Connack) throws(BrokenPromise) {
        if hasSession && !connack.sessionPresent { throw BrokenPromise("the session of \(clientID) is gone") }
        isEstablished = true
        hasSession = true
        for entry in unfinished {
            if entry.isReleased {
                write(.pubrel(packetID: entry.packet.packetID))
            } else {
                var packet = entry.packet
                packet.duplicate = true
                repeated.insert(entry.name)
                write(.publish(packet))
            }
        }
    }

    private func finish(_ packetID: UInt16) {
        guard let place = unfinished.firstIndex(where: { $0.packet.packetID == packetID }) else { return }
        let entry = unfinished.remove(at: place)
        if !entry.isReleased { acknowledge(entry.name) }
    }

    private func acknowledge(_ name: MessageName) {
        if let step = sentAt[name] { acknowledged.append((name, step)) }
    }

    private func receive(_ packet: Publish, _ repeated: Set<MessageName>) throws(BrokenPromise) {
        let topic = String(buffer: packet.topic)
        guard let name = MessageName(topic: topic, payload: String(buffer: packet.payload)) else {
            throw BrokenPromise("an invented payload")
        }
        switch packet.qos {
        case .atMostOnce: break
        case .atLeastOnce: write(.puback(packetID: packet.packetID))
        case .exactlyOnce:
            write(.pubrec(packetID: packet.packetID))
            if !begun.insert(packet.packetID).inserted {
                if !packet.duplicate { throw BrokenPromise("\(clientID): packet id \(packet.packetID) stands for two messages") }
                return
            }
        }
        if packet.retain {
            retained.insert(name)
            return
        }
        try count(name, packet, isRepeated: repeated.contains(name))
    }

    private func count(_ name: MessageName, _ packet: Publish, isRepeated: Bool) throws(BrokenPromise) {
        let count = seen[name, default: 0]
        seen[name] = count + 1
        let way = "\(name.publisher) \(name.topic) \(name.qos.rawValue) \(packet.qos.rawValue)"
        // By a subscription at QoS 1 it may have come before a crash, and at QoS 2 by one that was made since.
        if name.qos == .exactlyOnce, packet.qos == .exactlyOnce, !seenExactlyOnce.insert(name).inserted {
            throw BrokenPromise("\(clientID) got \(name) twice at QoS 2")
        }
        if count == 0, !isWorker, let newest = newest[way], name.number < newest, !isRepeated {
            throw BrokenPromise("\(clientID) got \(name) after #\(newest)")
        }
        newest[way] = max(newest[way] ?? 0, name.number)
    }
}
