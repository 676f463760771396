import MQTTCodec
import NIOCore

/// What a trace shows of a packet: what steers its delivery, and never a password, authentication data, or a payload's content.
enum PacketDetail {
    typealias Detail = TracedStep.Detail

    static func of(_ packet: Packet, bytes: Int) -> [Detail] {
        facts(packet) + [.number("bytes", bytes)]
    }

    private static func facts(_ packet: Packet) -> [Detail] {
        switch packet {
        case .connect(let connect): facts(connect)
        case .connack(let connack):
            [.flag("sessionPresent", connack.sessionPresent), code(connack.reasonCode)] + names(connack.properties)
        case .publish(let publish): facts(publish)
        case .puback(let packet), .pubrec(let packet), .pubrel(let packet), .pubcomp(let packet):
            [.number("packetID", packet.packetID), code(packet.reasonCode)] + names(packet.properties)
        case .subscribe(let packet):
            [.number("packetID", packet.packetID), .list("filters", packet.requests.map { "\($0.filter) (QoS \($0.qos.rawValue))" })]
                + names(packet.properties)
        case .suback(let packet): [.number("packetID", packet.packetID), codes(packet.reasonCodes)] + names(packet.properties)
        case .unsubscribe(let packet): [.number("packetID", packet.packetID), .list("filters", packet.filters)] + names(packet.properties)
        case .unsuback(let packet): [.number("packetID", packet.packetID), codes(packet.reasonCodes)] + names(packet.properties)
        case .pingreq, .pingresp: []
        case .disconnect(let packet): [code(packet.reasonCode)] + names(packet.properties)
        case .auth(let packet): [code(packet.reasonCode)] + names(packet.properties)
        }
    }

    /// A user name without what follows a `?`, by bytes: AWS's clients put tokens and signatures there.
    static func plainName(_ userName: String) -> String { String(Substring(userName.utf8.prefix { $0 != UInt8(ascii: "?") })) }

    static func facts(_ connect: Connect) -> [Detail] {
        var facts: [Detail] = [
            .text("version", connect.version.name), .flag("cleanStart", connect.cleanStart), .number("keepAlive", connect.keepAlive),
        ]
        if let userName = connect.userName { facts.append(.text("userName", plainName(userName))) }
        facts.append(.flag("password", connect.password != nil))
        if let will = connect.will {
            facts += [
                .text("willTopic", String(buffer: will.topic)), .number("willQoS", will.qos.rawValue), .flag("willRetain", will.retain),
                .number("willBytes", will.payload.readableBytes),
            ]
        }
        return facts + names(connect.properties)
    }

    private static func facts(_ publish: Publish) -> [Detail] {
        var facts: [Detail] = [
            .text("topic", String(buffer: publish.topic)), .number("qos", publish.qos.rawValue), .flag("retain", publish.retain),
        ]
        if publish.qos != .atMostOnce { facts += [.flag("duplicate", publish.duplicate), .number("packetID", publish.packetID)] }
        if let alias = publish.properties.topicAlias { facts.append(.number("topicAlias", alias)) }
        return facts + [.number("payloadBytes", publish.payload.readableBytes)] + names(publish.properties)
    }

    static func code(_ code: ReasonCode) -> Detail { .text("reasonCode", text(code)) }

    private static func codes(_ codes: [ReasonCode]) -> Detail { .list("reasonCodes", codes.map(text)) }

    private static func text(_ code: ReasonCode) -> String {
        let digits = String(code.rawValue, radix: 16, uppercase: true)
        return "0x\(digits.count < 2 ? "0" : "")\(digits) \(code.name)"
    }

    private static func names(_ properties: Properties) -> [Detail] {
        properties.isEmpty ? [] : [.list("properties", properties.all.map(\.identifier.name))]
    }
}
