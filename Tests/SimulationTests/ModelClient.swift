import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore

/// A correct MQTT client with a memory of its session, on a network that the simulation breaks.
///
/// Here is what it knows and does; what it makes of the broker's packets is in `ClientReading.swift`, of the ends of connections in
/// `ClientEndings.swift`.
final class ModelClient {
    struct Unfinished {
        var name: MessageName
        var packet: Publish
        /// PUBREC has come: PUBREL is what is repeated.
        var isReleased = false
    }

    /// A subscription that the broker confirmed, since when, and since which connection.
    struct Confirmed {
        var qos: QoS
        var noLocal: Bool
        var since: Int
        var connection: Int
    }

    /// A message that is to arrive wherever it was subscribed to before.
    struct Sent {
        var name: MessageName
        var step: Int
        var isLarge: Bool
        var expires: Bool
        /// At QoS 0 the number of the connection.
        var connection: Int
    }

    /// A will that waits for its delay, or for it to be known whether a later connection cancelled it.
    struct OpenWill {
        var name: MessageName
        var endedAt: Instant
        var step: Int
        /// `nil`: when the takeover is through.
        var due: Instant?
        var isDelayed: Bool
    }

    struct Goodbye {
        var isNormal: Bool
        var expirySeconds: Int?
        var step: Int
        /// Where it ends in the stream to the broker.
        var end: Int
        var deliveredAt: Instant?
    }

    let clientID: String
    /// The shared subscription that it takes part in.
    let group: String?
    let chronicle: Chronicle
    let inflightMax: Int
    /// What it proves who it is by, where that is asked for.
    let password: String?

    // The connection.
    var socket: SimulatedSocket?
    var terms = ConnectTerms()
    var connectionNumber = 0
    var isOpen = false
    var isEstablished = false
    /// Nothing that comes counts any more.
    var isLeaving = false
    var goodbye: Goodbye?
    var will: MessageName?
    /// Bytes on their way to the broker.
    var toBroker = ByteBuffer()
    var deliveredBytes = 0
    var unread = ByteBuffer()
    var readBytes = 0
    /// Up to where the broker had sent its bytes, at what time.
    var marks: [(end: Int, time: Instant)] = []
    /// The clock moved last at this time while the socket took nothing.
    var lastStuck = Instant(nanoseconds: -1)
    var brokersAliasMaximum: UInt16 = 0
    var outboundAliases: [String: UInt16] = [:]
    var inboundAliases: [UInt16: ByteBuffer] = [:]
    /// QoS 1 and 2 messages that came and whose end the broker has not been told.
    var underWay: Set<UInt16> = []
    var acknowledging: [(end: Int, packetID: UInt16)] = []
    var expiring: [(end: Int, name: MessageName, seconds: UInt32)] = []

    // The session.
    var outlook = SessionOutlook()
    var mustCleanStart = false
    var life = 0
    var filters: [String: FilterHistory] = [:]
    var confirmed: [String: Confirmed] = [:]
    var subscribing: [UInt16: Subscribe.Request] = [:]
    /// The last SUBSCRIBE for a filter that no UNSUBSCRIBE followed.
    var lastRequest: [String: UInt16] = [:]
    var ledger = DeliveryLedger()
    var receivedExactlyOnce: Set<UInt16> = []
    var hadSizeLimit = false
    var hadSizeLimitEver = false
    var unfinished: [Unfinished] = []

    // For ever.
    var acknowledged: [Sent] = []
    var sentAtQoS0: [Sent] = []
    var sent: [MessageName: Sent] = [:]
    var numbers: [String: Int] = [:]
    var lastPacketID: UInt16 = 0
    var openWills: [OpenWill] = []
    /// The will of a connection that was lost behind its goodbye: a new connection may overtake the goodbye on its way between shards.
    var overtakable: MessageName?

    init(clientID: String, group: String?, chronicle: Chronicle, inflightMax: Int, password: String? = nil) {
        self.password = password
        self.chronicle = chronicle
        self.clientID = clientID
        self.group = group
        self.inflightMax = inflightMax
    }

    var isConnected: Bool { socket.map { !$0.isClosed } ?? false }
    var writtenBytes: Int { deliveredBytes + toBroker.readableBytes }
    /// The broker takes that many at once.
    var mayPublish: Bool { unfinished.count < SimulatedWorld.receiveMaximum }

    // MARK: Actions

    func connect(on socket: SimulatedSocket, _ terms: ConnectTerms, now: Instant, step: Int) {
        connectionEnds(at: now, step: step, isTakenOver: true)
        self.socket = socket
        self.terms = terms
        connectionNumber += 1
        outlook.attempt(at: now)
        (isOpen, isEstablished, isLeaving, goodbye) = (true, false, false, nil)
        (toBroker, deliveredBytes, unread, readBytes, marks) = (ByteBuffer(), 0, ByteBuffer(), 0, [])
        (outboundAliases, inboundAliases, underWay, acknowledging, expiring) = ([:], [:], [], [], [])
        if terms.cleanStart {
            forgetSession(at: step)
            mustCleanStart = true
        }
        if terms.maximumPacketSize != nil { (hadSizeLimit, hadSizeLimitEver) = (true, true) }
        var connect = Connect(clientID: clientID, cleanStart: terms.cleanStart, keepAlive: 600, version: terms.version)
        if terms.version == .v5 {
            if terms.expirySeconds > 0 { connect.properties.sessionExpiryInterval = UInt32(terms.expirySeconds) }
            connect.properties.receiveMaximum = terms.receiveMaximum
            connect.properties.maximumPacketSize = terms.maximumPacketSize
            if terms.topicAliasMaximum > 0 { connect.properties.topicAliasMaximum = terms.topicAliasMaximum }
        }
        if let password { (connect.userName, connect.password) = (clientID, ByteBuffer(string: password)) }
        will = terms.willQoS.map { nextName(topic: "will/\(clientID)", qos: $0) }
        if let will {
            connect.will = Will(
                topic: ByteBuffer(string: will.topic), payload: ByteBuffer(string: will.payload), qos: will.qos, retain: false)
            if terms.willDelaySeconds > 0 { connect.will?.properties.willDelayInterval = terms.willDelaySeconds }
        }
        write(.connect(connect))
    }

    private func nextName(topic: String, qos: QoS) -> MessageName {
        let key = "\(topic) \(qos.rawValue)"
        numbers[key, default: 0] += 1
        return MessageName(publisher: "\(clientID).\(life)", topic: topic, qos: qos, number: numbers[key, default: 0])
    }

    func publish(topic: String, qos: QoS, retain: Bool, isLarge: Bool, expirySeconds: UInt32?, usesAlias: Bool, at step: Int) {
        let name = nextName(topic: topic, qos: qos)
        let padding = isLarge ? " " + String(repeating: "x", count: 90) : ""
        var packet = Publish(
            topic: ByteBuffer(string: topic), payload: ByteBuffer(string: name.payload + padding), qos: qos, retain: retain)
        let expires = terms.version == .v5 && expirySeconds != nil
        if expires { packet.properties.messageExpiryInterval = expirySeconds }
        let record = Sent(name: name, step: step, isLarge: isLarge, expires: expires, connection: connectionNumber)
        if qos > .atMostOnce {
            packet.packetID = nextPacketID()
            sent[name] = record
            unfinished.append(Unfinished(name: name, packet: packet))
        } else {
            sentAtQoS0.append(record)
        }
        write(packet, name, usesAlias: usesAlias)
    }

    func subscribe(_ filter: String, options: Subscribe.Request, identifier: UInt32) {
        let packetID = nextPacketID()
        var request = options
        request.filter = filter
        var packet = Subscribe(packetID: packetID, requests: [])
        if terms.version == .v5 {
            if identifier > 0 { packet.properties.subscriptionIdentifiers = [identifier] }
        } else {
            request = Subscribe.Request(filter: filter, qos: options.qos)
        }
        packet.requests = [request]
        subscribing[packetID] = request
        filters[filter, default: FilterHistory()].noLocal.insert(request.noLocal)
        filters[filter]?.retainAsPublished.insert(request.retainAsPublished)
        filters[filter]?.identifiers.insert(terms.version == .v5 ? identifier : 0)
        confirmed[filter] = nil
        lastRequest[filter] = packetID
        write(.subscribe(packet))
    }

    func unsubscribe(_ filter: String) {
        confirmed[filter] = nil
        lastRequest[filter] = nil
        write(.unsubscribe(Unsubscribe(packetID: nextPacketID(), filters: [filter])))
    }

    /// Says goodbye; after it the client sends nothing [MQTT-3.14.4-2].
    func disconnect(isNormal: Bool, expirySeconds: Int?, at step: Int) {
        var packet = Disconnect()
        var expiry: Int?
        if terms.version == .v5 {
            if !isNormal { packet.reasonCode = .disconnectWithWillMessage }
            if terms.expirySeconds > 0, isNormal, let expirySeconds {
                packet.properties.sessionExpiryInterval = UInt32(expirySeconds)
                expiry = expirySeconds
            }
        }
        write(.disconnect(packet))
        goodbye = Goodbye(isNormal: isNormal || terms.version == .v311, expirySeconds: expiry, step: step, end: writtenBytes)
        isEstablished = false
        isLeaving = true
    }

    // MARK: Writing

    func write(_ packet: Packet) { packet.encode(into: &toBroker, version: terms.version) }

    func write(_ publish: Publish, _ name: MessageName, usesAlias: Bool) {
        var packet = publish
        if terms.version == .v311 {
            if packet.properties.messageExpiryInterval != nil { chronicle.everlasting.insert(name) }
            packet.properties = Properties()
        } else if usesAlias, brokersAliasMaximum > 0 {
            if let alias = outboundAliases[name.topic] {
                packet.properties.topicAlias = alias
                packet.topic = ByteBuffer()
            } else if outboundAliases.count < Int(brokersAliasMaximum) {
                let alias = UInt16(outboundAliases.count + 1)
                outboundAliases[name.topic] = alias
                packet.properties.topicAlias = alias
            }
        }
        write(.publish(packet))
        if let seconds = packet.properties.messageExpiryInterval { expiring.append((writtenBytes, name, seconds)) }
    }

    func acknowledge(_ packet: Packet, _ packetID: UInt16) {
        write(packet)
        acknowledging.append((writtenBytes, packetID))
    }

    /// So many more bytes are at the broker now.
    func delivered(_ count: Int, at now: Instant) {
        deliveredBytes += count
        if let end = goodbye?.end, end <= deliveredBytes { goodbye?.deliveredAt = now }
        while let first = acknowledging.first, first.end <= deliveredBytes { underWay.remove(acknowledging.removeFirst().packetID) }
        while let first = expiring.first, first.end <= deliveredBytes {
            chronicle.expiries[first.name] = Chronicle.Expiry(handedAt: now, seconds: first.seconds)
            expiring.removeFirst()
        }
    }

    private func nextPacketID() -> UInt16 {
        repeat {
            lastPacketID = lastPacketID == .max ? 1 : lastPacketID + 1
        } while unfinished.contains {
            $0.packet.packetID == lastPacketID
        }
        return lastPacketID
    }
}
