import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore

/// A correct MQTT client with a memory of its session, on a network that the simulation breaks.
final class ModelClient {
    struct Unfinished {
        var name: MessageName
        var packet: Publish
        /// PUBREC has come: PUBREL is what is repeated.
        var isReleased = false
    }

    /// A subscription that the broker confirmed, since when.
    struct Confirmed {
        var qos: QoS
        var since: Int
    }

    let clientID: String
    let cleanSession: Bool
    var socket: SimulatedSocket?
    /// Bytes on their way to the broker.
    var toBroker = ByteBuffer()
    private var unread = ByteBuffer()
    private(set) var isEstablished = false
    private var hadSession = false
    private var isLeaving = false

    private(set) var filters: Set<String> = []
    private(set) var confirmed: [String: Confirmed] = [:]
    private var subscribing: [UInt16: Subscribe.Request] = [:]
    /// The last SUBSCRIBE for a filter that no UNSUBSCRIBE followed.
    private var lastRequest: [String: UInt16] = [:]
    private(set) var ledger = DeliveryLedger()
    private var receivedExactlyOnce: Set<UInt16> = []

    private(set) var unfinished: [Unfinished] = []
    private(set) var acknowledged: [(name: MessageName, sentAt: Int)] = []
    private var sentAt: [MessageName: Int] = [:]
    private var numbers: [String: Int] = [:]
    private var lastPacketID: UInt16 = 0

    private let repetitions: Repetitions

    init(clientID: String, cleanSession: Bool, repetitions: Repetitions) {
        self.repetitions = repetitions
        self.clientID = clientID
        self.cleanSession = cleanSession
    }

    var isConnected: Bool { socket.map { !$0.isClosed } ?? false }

    // MARK: Actions

    func connect(on socket: SimulatedSocket, will: Will?) {
        self.socket = socket
        toBroker = ByteBuffer()
        unread = ByteBuffer()
        isEstablished = false
        isLeaving = false
        if cleanSession { forgetSession() }
        write(.connect(Connect(clientID: clientID, cleanStart: cleanSession, keepAlive: 600, will: will)))
    }

    func publish(topic: String, qos: QoS, retain: Bool, at step: Int) {
        let key = "\(topic) \(qos.rawValue)"
        numbers[key, default: 0] += 1
        let name = MessageName(publisher: clientID, topic: topic, qos: qos, number: numbers[key, default: 0])
        var packet = Publish(
            topic: ByteBuffer(string: topic), payload: ByteBuffer(string: name.payload), qos: qos, retain: retain)
        if qos > .atMostOnce {
            packet.packetID = nextPacketID()
            sentAt[name] = step
            unfinished.append(Unfinished(name: name, packet: packet))
        }
        write(.publish(packet))
    }

    func subscribe(_ filter: String, qos: QoS) {
        let packetID = nextPacketID()
        let request = Subscribe.Request(filter: filter, qos: qos)
        subscribing[packetID] = request
        filters.insert(filter)
        confirmed[filter] = nil
        lastRequest[filter] = packetID
        write(.subscribe(Subscribe(packetID: packetID, requests: [request])))
    }

    func unsubscribe(_ filter: String) {
        confirmed[filter] = nil
        lastRequest[filter] = nil
        write(.unsubscribe(Unsubscribe(packetID: nextPacketID(), filters: [filter])))
    }

    /// Says goodbye; after it the client sends nothing [MQTT-3.14.4-2].
    func disconnect() {
        write(.disconnect(Disconnect()))
        isEstablished = false
        isLeaving = true
    }

    // MARK: Reading

    /// Takes bytes that reached the client, and reacts as a client must.
    func read(_ bytes: ByteBuffer, at step: Int) throws {
        unread.writeImmutableBuffer(bytes)
        while let packet = try Packet.read(from: &unread, version: .v311, sender: .server) { try handle(packet, at: step) }
    }

    private func handle(_ packet: Packet, at step: Int) throws(BrokenPromise) {
        if isLeaving { return }
        if !isEstablished {
            guard case .connack(let connack) = packet else { throw BrokenPromise("\(clientID): \(packet) before CONNACK") }
            return try established(connack)
        }
        switch packet {
        case .publish(let publish): try receive(publish)
        case .puback(let puback): try finish(puback.packetID, .atLeastOnce)
        case .pubrec(let pubrec):
            if let place = unfinished.firstIndex(where: { $0.packet.packetID == pubrec.packetID }) { unfinished[place].isReleased = true }
            write(.pubrel(packetID: pubrec.packetID))
        case .pubcomp(let pubcomp): try finish(pubcomp.packetID, .exactlyOnce)
        case .pubrel(let pubrel):
            receivedExactlyOnce.remove(pubrel.packetID)
            write(.pubcomp(packetID: pubrel.packetID))
        case .suback(let suback):
            guard let request = subscribing.removeValue(forKey: suback.packetID) else { throw BrokenPromise("SUBACK for nothing") }
            guard suback.reasonCodes == [.granted(request.qos)] else { throw BrokenPromise("SUBACK \(suback)") }
            guard lastRequest[request.filter] == suback.packetID else { return }
            confirmed[request.filter] = Confirmed(qos: request.qos, since: step)
        case .unsuback, .pingresp: break
        default: throw BrokenPromise("\(clientID) got \(packet)")
        }
    }

    private func established(_ connack: Connack) throws(BrokenPromise) {
        guard connack.reasonCode == .success else { throw BrokenPromise("\(clientID) refused: \(connack.reasonCode)") }
        if cleanSession && connack.sessionPresent { throw BrokenPromise("a clean session is present") }
        if !cleanSession && hadSession && !connack.sessionPresent { throw BrokenPromise("\(clientID): the session is gone") }
        hadSession = true
        isEstablished = true
        subscribing = [:]
        for entry in unfinished {
            if entry.isReleased {
                write(.pubrel(packetID: entry.packet.packetID))
            } else {
                var packet = entry.packet
                packet.duplicate = true
                repetitions.names.insert(entry.name)
                write(.publish(packet))
            }
        }
    }

    private func receive(_ packet: Publish) throws(BrokenPromise) {
        var isRepeat = false
        if packet.qos == .exactlyOnce { isRepeat = !receivedExactlyOnce.insert(packet.packetID).inserted }
        if isRepeat && !packet.duplicate { throw BrokenPromise("\(clientID): packet id \(packet.packetID) used twice") }
        try ledger.receive(packet, filters: filters, isRepeat: isRepeat, repetitions: repetitions)
        switch packet.qos {
        case .atMostOnce: break
        case .atLeastOnce: write(.puback(packetID: packet.packetID))
        case .exactlyOnce: write(.pubrec(packetID: packet.packetID))
        }
    }

    private func finish(_ packetID: UInt16, _ qos: QoS) throws(BrokenPromise) {
        guard let place = unfinished.firstIndex(where: { $0.packet.packetID == packetID && $0.name.qos == qos }) else { return }
        if let earlier = unfinished[..<place].first(where: { $0.name.qos == .atLeastOnce && qos == .atLeastOnce }) {
            throw BrokenPromise("PUBACK for \(unfinished[place].name) before \(earlier.name)")
        }
        let name = unfinished.remove(at: place).name
        acknowledged.append((name, sentAt[name] ?? 0))
    }

    private func forgetSession() {
        filters = []
        confirmed = [:]
        ledger = DeliveryLedger()
        receivedExactlyOnce = []
        unfinished = []
    }

    private func write(_ packet: Packet) { packet.encode(into: &toBroker, version: .v311) }

    private func nextPacketID() -> UInt16 {
        repeat {
            lastPacketID = lastPacketID == .max ? 1 : lastPacketID + 1
        } while unfinished.contains {
            $0.packet.packetID == lastPacketID
        }
        return lastPacketID
    }
}
