import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// Property blocks that somebody sends to do harm (MQTT 5 section 2.2.2).
///
/// Each test is named by its row in the project's list of threats. What is counted is work, not time: looks into a block, and moves of
/// the bytes that wait for the rest of their packet.
@Suite struct HostilePropertiesTests {
    /// A user property of seven bytes, without a name and a value but for one letter each.
    private static let userProperty: [UInt8] = [0x26, 0, 1, 0x6B, 0, 1, 0x76]

    /// Packets of each type that a client may send with properties, with this block in them.
    private enum Carrier: CaseIterable, Sendable {
        case connect, will, publish, subscribe, unsubscribe, puback, disconnect, auth

        func packet(_ block: [UInt8]) -> [UInt8] {
            var length = ByteBuffer()
            length.writeVariableByteInteger(block.count)
            let properties = Array(length.readableBytesView) + block
            let connect: [UInt8] = [0, 4, 0x4D, 0x51, 0x54, 0x54, 5]
            let (first, body): (UInt8, [UInt8]) =
                switch self {
                case .connect: (0x10, connect + [2, 0, 0] + properties + [0, 1, 0x61])
                case .will: (0x10, connect + [6, 0, 0, 0] + [0, 1, 0x61] + properties + [0, 1, 0x77, 0, 0])
                case .publish: (0x30, [0, 1, 0x74] + properties)
                case .subscribe: (0x82, [0, 1] + properties + [0, 1, 0x74, 0])
                case .unsubscribe: (0xA2, [0, 1] + properties + [0, 1, 0x74])
                case .puback: (0x40, [0, 1, 0] + properties)
                case .disconnect: (0xE0, [0] + properties)
                case .auth: (0xF0, [0x18] + properties)
                }
            var header = ByteBuffer(bytes: [first])
            header.writeVariableByteInteger(body.count)
            return Array(header.readableBytesView) + body
        }

        var isConnect: Bool { self == .connect || self == .will }
    }

    private func client(_ broker: SimulatedBroker, for carrier: Carrier) throws -> SimulatedClient {
        if !carrier.isConnect { return try broker.client5("a") }
        let client = SimulatedClient("a", of: broker)
        client.open()
        return client
    }

    /// The reason code with which the broker ended the connection, by CONNACK or DISCONNECT; `nil` when it goes on.
    private func refusal(_ client: SimulatedClient, _ bytes: [UInt8], _ broker: SimulatedBroker, for carrier: Carrier) -> UInt8? {
        let answer = client.exchange(bytes: bytes, settling: broker)
        if client.isConnected { return nil }
        let place = carrier.isConnect ? 3 : 2
        return answer.indices.contains(place) ? answer[place] : 0
    }

    @Test(
        "Threat 3: a property block that drips in is not looked into before its packet is whole, and is moved seldom",
        arguments: Carrier.allCases)
    private func dripping(carrier: Carrier) throws {
        var limits = BrokerLimits()
        limits.propertyBytesMax = 60_000
        limits.userPropertiesMax = 10_000
        let broker = SimulatedBroker(shards: 1, limits: limits)
        var block = Array(repeatElement(Self.userProperty, count: 2_000).joined())
        block[0] = 0xFF  // no property: whoever looked at the block would close the connection
        let bytes = carrier.packet(block)
        let client = try client(broker, for: carrier)
        let connection = try #require(client.socket?.connection)
        let packetsBefore = broker.nodes[0].core.statistics().packetsReceived
        var moves = 0
        var address: UnsafeRawPointer?
        for byte in bytes.dropLast() {
            client.send(ByteBuffer(bytes: [byte]))
            let now = connection.inbox.withUnsafeReadableBytes { $0.baseAddress }
            if now != address { moves += 1 }
            address = now
        }
        #expect(client.isConnected)
        #expect(connection.inbox.readableBytes == bytes.count - 1)
        #expect(broker.nodes[0].core.statistics().packetsReceived == packetsBefore)
        // Storage that doubles is moved once for each doubling; a move for each byte would be a square of them.
        #expect(moves <= 20, "\(moves) moves for \(bytes.count) bytes")
        #expect(refusal(client, [bytes[bytes.count - 1]], broker, for: carrier) == ReasonCode.malformedPacket.rawValue)
    }

    @Test("Threat 3: dripping in or at once, a block of many properties comes to the same", arguments: [true, false])
    func drippingIsTheSame(atOnce: Bool) throws {
        var limits = BrokerLimits()
        limits.propertyBytesMax = 60_000
        limits.userPropertiesMax = 10_000
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let reader = try broker.client5("r")
        _ = try reader.subscribe5("t")
        let client = try broker.client5("a")
        let bytes = Carrier.publish.packet(Array(repeatElement(Self.userProperty, count: 8_000).joined()))
        if atOnce {
            client.send(ByteBuffer(bytes: bytes))
        } else {
            for byte in bytes { client.send(ByteBuffer(bytes: [byte])) }
        }
        broker.settle()
        #expect(reader.takeBytes() == bytes)
    }

    @Test(
        "Threat 4: 60,000 user properties are refused by the block's length, and none of them is looked at",
        arguments: [Carrier.publish, .subscribe, .unsubscribe, .puback, .disconnect, .auth])
    private func tooManyBytes(carrier: Carrier) throws {
        let broker = SimulatedBroker(shards: 1)
        var block = Array(repeatElement(Self.userProperty, count: 60_000).joined())
        block[0] = 0xFF  // not reached
        let code = refusal(try client(broker, for: carrier), carrier.packet(block), broker, for: carrier)
        #expect(code == ReasonCode.quotaExceeded.rawValue)
    }

    @Test("Threat 4: a CONNECT with 60,000 user properties is cut off by its header", arguments: [Carrier.connect, .will])
    private func hugeConnect(carrier: Carrier) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try client(broker, for: carrier)
        let bytes = carrier.packet(Array(repeatElement(Self.userProperty, count: 60_000).joined()))
        #expect(client.exchange(bytes: Array(bytes.prefix(4)), settling: broker) == [])
        #expect(!client.isConnected)
        #expect(broker.closed == ["malformed_packet": 1])
    }

    @Test(
        "Threat 4: one user property more than userPropertiesMax is refused, and what follows it is not looked at",
        arguments: Carrier.allCases)
    private func tooManyProperties(carrier: Carrier) throws {
        let broker = SimulatedBroker(shards: 1)
        let most = Array(repeatElement(Self.userProperty, count: 64).joined())
        // 64 are read to the end: what is wrong behind them is found.
        #expect(
            refusal(try client(broker, for: carrier), carrier.packet(most + [0xFF]), broker, for: carrier)
                == ReasonCode.malformedPacket.rawValue)
        let more = carrier.packet(most + Self.userProperty + [0xFF])
        #expect(refusal(try client(broker, for: carrier), more, broker, for: carrier) == ReasonCode.quotaExceeded.rawValue)
    }

    @Test("Threat 4: as many user properties as the limits allow reach every subscriber, in one block that nobody takes apart again")
    func manyProperties() throws {
        var limits = BrokerLimits()
        limits.propertyBytesMax = 500_000
        limits.userPropertiesMax = 60_000
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let readers = try (0..<10).map { number in
            let reader = try broker.client5("r\(number)")
            _ = try reader.subscribe5("t")
            return reader
        }
        let client = try broker.client5("a")
        let bytes = Carrier.publish.packet(Array(repeatElement(Self.userProperty, count: 60_000).joined()))
        client.send(ByteBuffer(bytes: bytes))
        broker.settle()
        for reader in readers { #expect(reader.takeBytes() == bytes) }
    }
}
