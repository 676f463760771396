import MQTTCodec
import NIOCore

/// What must hold of every sequence of bytes that a client may send.
///
/// What does not hold stops the process, which the fuzzer reports.
struct StreamProperties {
    var bytes: [UInt8]

    /// Small enough that the fuzzer meets both.
    private static let packetBytesMax = 2_048
    private static let filtersMax = 16

    /// The packets that a stream held, and the error that ended it, if one did.
    private struct Reading: Equatable {
        var packets: [Packet] = []
        var error: DecodeError?
        var left = 0

        /// Takes what is there to take.
        mutating func take(from buffer: inout ByteBuffer) {
            do throws(DecodeError) {
                while error == nil,
                    let packet = try Packet.read(
                        from: &buffer, packetBytesMax: StreamProperties.packetBytesMax, filtersMax: StreamProperties.filtersMax)
                {
                    packets.append(packet)
                }
                left = buffer.readableBytes
            } catch {
                self.error = error
                left = 0
            }
        }
    }

    func check() {
        var buffer = ByteBuffer(bytes: bytes)
        var whole = Reading()
        whole.take(from: &buffer)
        checkDripFed(whole)
        for packet in whole.packets { checkRoundTrip(of: packet) }
        checkLayout()
        checkMatching(whole.packets)
    }

    /// Byte by byte comes to the same as all at once.
    private func checkDripFed(_ whole: Reading) {
        var buffer = ByteBuffer()
        var reading = Reading()
        for byte in bytes where reading.error == nil {
            buffer.writeInteger(byte)
            reading.take(from: &buffer)
        }
        require(reading == whole, "the packets depend on how they arrive")
    }

    /// What a packet is written as means the same, and is written as the same again.
    private func checkRoundTrip(of packet: Packet) {
        var written = ByteBuffer()
        packet.encode(into: &written)
        let bytes = written
        do throws(DecodeError) {
            let again = try Packet.read(from: &written)
            require(again == packet && written.readableBytes == 0, "a packet is read back as another")
            var rewritten = ByteBuffer()
            again?.encode(into: &rewritten)
            require(rewritten == bytes, "a packet that was read back is written otherwise")
        } catch {
            fatalError("a packet that was read is written as none: \(error)")
        }
    }

    /// The hot path's reader agrees with the packet's, also when the packet does not begin the buffer.
    private func checkLayout() {
        let padded = [0xFF] + bytes + [0xFF, 0xFF]
        guard let header = try? FixedHeader(reading: padded.span, at: 1, packetBytesMax: Self.packetBytesMax), header.type == .publish,
            header.packetLength <= bytes.count
        else { return }
        let layout = try? PublishLayout(reading: padded.span, at: 1, header: header)
        if let layout {
            let payloadStart = layout.topicStart + layout.topicLength + (layout.qos == .atMostOnce ? 0 : 2)
            require(
                layout.topicStart == 1 + header.headerLength + 2 && layout.topicLength >= 0 && layout.payloadStart == payloadStart
                    && layout.payloadLength >= 0 && layout.payloadStart + layout.payloadLength == 1 + header.packetLength,
                "the layout leaves the packet")
        }
        var buffer = ByteBuffer(bytes: bytes)
        guard case .publish(let publish) = try? Packet.read(from: &buffer) else { return }
        guard let layout else { fatalError("the layout refuses what the packet takes") }
        let topic = padded[layout.topicStart..<layout.topicStart + layout.topicLength]
        let payload = padded[layout.payloadStart..<layout.payloadStart + layout.payloadLength]
        require(
            topic.elementsEqual(publish.topic.readableBytesView) && payload.elementsEqual(publish.payload.readableBytesView)
                && layout.packetID == publish.packetID && layout.qos == publish.qos && layout.retain == publish.retain
                && layout.duplicate == publish.duplicate,
            "the layout and the packet differ")
    }

    /// Every filter against every name of the stream: a name matches itself, and `#` unless it begins with a dollar.
    private func checkMatching(_ packets: [Packet]) {
        var names: [String] = []
        var filters: [String] = []
        for packet in packets {
            switch packet {
            case .publish(let publish): names.append(String(buffer: publish.topic))
            case .subscribe(let subscribe): filters += subscribe.requests.map(\.filter)
            case .unsubscribe(let unsubscribe): filters += unsubscribe.filters
            default: break
            }
        }
        for name in names.prefix(16) {
            require(Topics.matches(name: name, filter: name), "a name does not match itself")
            require(Topics.matches(name: name, filter: "#") == (name.utf8.first != UInt8(ascii: "$")), "# does not match as it should")
            for filter in filters.prefix(64) { _ = Topics.matches(name: name, filter: filter) }
        }
    }

    /// As `precondition`, but says what is wrong in an optimized build, too.
    private func require(_ condition: Bool, _ message: String) {
        if !condition { fatalError(message) }
    }
}
