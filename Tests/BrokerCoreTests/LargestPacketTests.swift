import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// A remaining length is 268,435,455 at the most: what one version carries may be too long for the other.
@Suite struct LargestPacketTests {
    /// Its bytes are never touched, so that they take no memory.
    private static func message(payloadBytes: Int) -> Message {
        var payload = ByteBuffer()
        payload.reserveCapacity(payloadBytes)
        payload.moveWriterIndex(to: payloadBytes)
        return Message(topic: ByteBuffer(string: "b"), payload: payload, qos: .atMostOnce)
    }

    @Test("A message has a packet up to the greatest remaining length, which properties are part of")
    func longestMessages() {
        let longest = Self.message(payloadBytes: 268_435_452)
        #expect(longest.hasPacket(qos: .atMostOnce, properties: nil))
        #expect(!longest.hasPacket(qos: .atMostOnce, properties: PublishProperties()))
        #expect(!longest.hasPacket(qos: .atLeastOnce, properties: nil))
        #expect(!Self.message(payloadBytes: 268_435_453).hasPacket(qos: .atMostOnce, properties: nil))
        #expect(Self.message(payloadBytes: 268_435_451).hasPacket(qos: .atMostOnce, properties: PublishProperties()))
        var outgoing = OutgoingMessage(longest, now: Instant(nanoseconds: 0))
        let frame = outgoing.frameAtQoS0(FrameForm(version: .v5, retain: false))
        #expect(frame == nil)
    }

    @Test("A message that no packet can carry is dropped as too large, for every client")
    func dropped() throws {
        let broker = SimulatedBroker(shards: 1)
        _ = try broker.client("v3").subscribe("b")
        _ = try broker.client5("v5").subscribe5("b")
        _ = try broker.client5("identifier").subscribe5("b", identifier: 7)
        _ = try broker.client5("alias") { $0.topicAliasMaximum = 9 }.subscribe5("b")
        broker.nodes[0].core.publish(Self.message(payloadBytes: 268_435_456), now: broker.now)
        broker.settle()
        #expect(broker.dropped == ["packet_too_large": 4])
    }

    @Test(
        "packetBytesMax is the protocol's at the most, and clients of MQTT 5 are told so", arguments: [268_435_460, 268_435_461, Int.max])
    func clamped(packetBytesMax: Int) throws {
        var limits = BrokerLimits()
        limits.packetBytesMax = packetBytesMax
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let connack = try SimulatedClient("a", of: broker).connect5().connack
        #expect(connack?.properties.maximumPacketSize == 268_435_460)
    }
}
