import MQTTCodec
import NIOCore

/// Messages at one QoS that came one behind the other from one client on one topic, as their packets (record 0033).
///
/// They are routed together, and a subscriber of the publisher's version gets their bytes by one copy.
package struct PublishRun: Sendable {
    let topic: ByteBuffer
    /// Whole PUBLISH packets, without properties: at QoS 1 and 2 in storage of their own.
    let packets: ByteBuffer
    let version: ProtocolVersion
    let layout: PublishRunLayout
    let acceptedAt: AcceptTime

    var qos: QoS { layout.qos }
    var messages: Int { layout.messages }

    /// Bytes that it takes wherever it waits.
    var size: Int { topic.readableBytes + packets.readableBytes }

    /// The same in storage of its own, for whoever keeps it: a slice would keep the publisher's whole read alive.
    func stored() -> PublishRun {
        PublishRun(
            topic: topic, packets: ByteBuffer(bytes: packets.readableBytesView), version: version, layout: layout, acceptedAt: acceptedAt)
    }

    /// Each message by itself, with its place in the run, and with the packet that it came in.
    func forEachMessage(at now: Instant, _ body: (Int, inout OutgoingMessage) -> Void) {
        var rest = packets
        var number = 0
        while let header = try? FixedHeader(reading: rest.readableBytesUInt8Span, at: 0, packetBytesMax: .max, version: version),
            let packet = rest.readSlice(length: header.packetLength),
            let layout = try? PublishLayout(reading: packet.readableBytesUInt8Span, at: 0, header: header, version: version),
            let payload = packet.getSlice(at: packet.readerIndex + layout.payloadStart, length: layout.payloadLength)
        {
            var message = Message(topic: topic, payload: payload, qos: qos)
            message.acceptedAt = acceptedAt
            var outgoing = OutgoingMessage(message, now: now)
            if qos == .atMostOnce { outgoing.take(frame: packet, version: version) }
            body(number, &outgoing)
            number += 1
        }
    }

    /// Bytes of some of its messages at QoS 1 or 2, as ``Message/size`` counts them.
    func size(of messages: Range<Int>) -> Int {
        messages.reduce(messages.count * topic.readableBytes) { $0 + layout.places[$1].end - payloadStart(of: $1) }
    }

    private func payloadStart(of number: Int) -> Int { layout.places[number].identifier + (version == .v5 ? 3 : 2) }

    /// A message at QoS 1 or 2, by its place in the run.
    func message(_ number: Int) -> Message {
        let place = layout.places[number]
        let start = payloadStart(of: number)
        let payload = packets.getSlice(at: packets.readerIndex + start, length: place.end - start) ?? ByteBuffer()
        var message = Message(topic: topic, payload: payload, qos: qos)
        message.acceptedAt = acceptedAt
        return message
    }
}
