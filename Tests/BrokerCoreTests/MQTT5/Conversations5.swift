import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore

/// Properties made one by one.
func properties(_ set: (inout Properties) -> Void) -> Properties {
    var result = Properties()
    set(&result)
    return result
}

func message5(
    _ topic: String, _ payload: String, qos: QoS = .atMostOnce, packetID: UInt16 = 0, retain: Bool = false, duplicate: Bool = false,
    _ set: (inout Properties) -> Void = { _ in }
) -> Packet {
    .publish(
        Publish(
            topic: ByteBuffer(string: topic), payload: ByteBuffer(string: payload), qos: qos, retain: retain, duplicate: duplicate,
            packetID: packetID, properties: properties(set)))
}

func disconnected(_ code: ReasonCode) -> [Packet] { [.disconnect(Disconnect(reasonCode: code))] }

extension [Packet] {
    /// The same without reason strings, which are for people.
    var withoutReasonStrings: [Packet] {
        map { packet in
            guard case .disconnect(var disconnect) = packet else { return packet }
            disconnect.properties.reasonString = nil
            return .disconnect(disconnect)
        }
    }

    var connack: Connack? { if case .connack(let connack) = first { connack } else { nil } }
    /// Topics and payloads of the messages.
    var messages: [String] {
        compactMap { packet in
            guard case .publish(let publish) = packet else { return nil }
            return String(buffer: publish.topic) + "=" + String(buffer: publish.payload)
        }
    }
    var publishes: [Publish] { compactMap { if case .publish(let publish) = $0 { publish } else { nil } } }
}

extension SimulatedClient {
    /// Opens a connection, sends CONNECT of MQTT 5, and answers what came back.
    func connect5(
        at shard: Int = 0, cleanStart: Bool = true, keepAlive: UInt16 = 60, will: Will? = nil, principal: String? = nil,
        _ set: (inout Properties) -> Void = { _ in }
    ) throws -> [Packet] {
        open(at: shard, principal: principal)
        return try exchange(
            .connect(
                Connect(
                    clientID: name, cleanStart: cleanStart, keepAlive: keepAlive, version: .v5, properties: properties(set), will: will)))
    }

    func subscribe5(_ request: Subscribe.Request, packetID: UInt16 = 1, identifier: UInt32? = nil) throws -> [Packet] {
        let properties = properties { if let identifier { $0.subscriptionIdentifiers = [identifier] } }
        return try exchange(.subscribe(Subscribe(packetID: packetID, requests: [request], properties: properties)))
    }

    func subscribe5(_ filter: String, _ qos: QoS = .atMostOnce, packetID: UInt16 = 1, identifier: UInt32? = nil) throws -> [Packet] {
        try subscribe5(Subscribe.Request(filter: filter, qos: qos), packetID: packetID, identifier: identifier)
    }
}

extension SimulatedBroker {
    /// A client of MQTT 5 that is connected, its CONNACK read.
    func client5(
        _ name: String, at shard: Int = 0, cleanStart: Bool = true, will: Will? = nil, _ set: (inout Properties) -> Void = { _ in }
    ) throws -> SimulatedClient {
        let client = SimulatedClient(name, of: self)
        _ = try client.connect5(at: shard, cleanStart: cleanStart, will: will, set)
        return client
    }
}
