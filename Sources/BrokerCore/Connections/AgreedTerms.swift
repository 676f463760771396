import MQTTCodec
import NIOCore

/// What the two sides of an MQTT 5 connection agreed on in CONNECT and CONNACK.
///
/// A connection of MQTT 3.1.1 has none.
final class AgreedTerms {
    /// QoS 1 and 2 messages that the client takes at once [MQTT5-3.3.4-9].
    let receiveMaximum: Int
    /// Bytes of the largest packet that the client takes [MQTT5-3.1.2-24].
    let packetBytesMax: Int
    /// Whether the client wants reason strings where something fails [MQTT5-3.1.2-29].
    let wantsProblemInformation: Bool
    /// What CONNECT said: 0 cannot be changed by DISCONNECT.
    let sessionExpiryInterval: UInt32
    // Aliases of both directions end with the connection [MQTT5-3.3.2-7].
    var outboundAliases: OutboundAliases
    var inboundAliases: InboundAliases
    /// The method of enhanced authentication, which stays the same as long as the connection [MQTT5-4.12.1-1].
    let authenticationMethod: String?
    /// An exchange of AUTH packets that is under way.
    var exchange: (any AuthenticationExchange)?

    init(_ properties: Properties, limits: BrokerLimits) {
        receiveMaximum = Int(properties.receiveMaximum ?? .max)
        packetBytesMax = properties.maximumPacketSize.map { Int($0) } ?? .max
        wantsProblemInformation = properties.requestProblemInformation ?? true
        sessionExpiryInterval = properties.sessionExpiryInterval ?? 0
        outboundAliases = OutboundAliases(maximum: min(Int(properties.topicAliasMaximum ?? 0), limits.outboundTopicAliasesMax))
        inboundAliases = InboundAliases(maximum: limits.topicAliasesMax)
        authenticationMethod = properties.authenticationMethod
    }
}

/// The aliases that one client gave to topics (MQTT 5 section 3.3.2.3.4).
struct InboundAliases {
    private var topics: [ByteBuffer?] = []
    private let maximum: Int

    init(maximum: Int) { self.maximum = maximum }

    /// Whether the client may use the alias at all [MQTT5-3.2.2-17] [MQTT5-3.2.2-18] [MQTT5-3.3.2-8] [MQTT5-3.3.2-9].
    func allows(_ alias: UInt16) -> Bool { alias > 0 && Int(alias) <= maximum }

    func topic(of alias: UInt16) -> ByteBuffer? {
        let place = Int(alias) - 1
        return topics.indices.contains(place) ? topics[place] : nil
    }

    /// From now on the alias stands for this topic, which is in storage of its own.
    mutating func set(_ alias: UInt16, to topic: ByteBuffer) {
        let place = Int(alias) - 1
        while topics.count <= place { topics.append(nil) }
        topics[place] = topic
    }
}

/// The aliases that the broker gave to topics on one connection: the first topics that it sends, until there is no alias left.
struct OutboundAliases {
    private var aliases: [ByteBuffer: UInt16] = [:]
    private let maximum: Int

    init(maximum: Int) { self.maximum = maximum }

    /// Whether the client takes any [MQTT5-3.1.2-26] [MQTT5-3.1.2-27].
    var isUsed: Bool { maximum > 0 }
    /// Whether there is one left [MQTT5-3.3.2-11].
    var hasFree: Bool { aliases.count < maximum }

    /// The alias of a topic that the client has been told, so that the topic's name need not be sent.
    func known(for topic: ByteBuffer) -> UInt16? { aliases[topic] }

    /// Gives a topic the next alias, which the client is told with its name; there must be one left.
    mutating func give(to topic: ByteBuffer) -> UInt16 {
        let alias = UInt16(clamping: aliases.count + 1)
        aliases[ByteBuffer(bytes: topic.readableBytesView)] = alias
        return alias
    }
}
