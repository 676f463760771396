package import MQTTCodec
package import NIOCore

/// How a message carries its stamp.
package enum MessageFormat: Equatable, Sendable {
    /// The stamp's bytes, then a fixed pattern.
    case binary
    /// JSON for rules to read; see ``StatusText``.
    case json
}

/// One publisher's PUBLISH packet, encoded once; sending copies it and overwrites the sequence, the time and the packet identifier.
package struct PublishTemplate: Sendable {
    private let bytes: [UInt8]
    private let packetIdentifierOffset: Int?
    private let stampOffset: Int
    private let format: MessageFormat

    /// Encodes the packet, with a payload of `payloadBytes`; at least ``MessageStamp/byteCount``, or ``StatusText/payloadBytesMin`` in JSON.
    package init(
        topic: String, qos: QoS, payloadBytes: Int, run: UInt32, publisher: UInt32, version: MQTTVersion = .v311,
        format: MessageFormat = .binary
    ) {
        var body = RawPackets.prefixed(topic.utf8)
        let identifierInBody = body.count
        if qos > .atMostOnce { body += [0, 0] }
        if version == .v5 { body += [0] }  // no properties
        let stampInBody = Self.appendPayload(to: &body, payloadBytes: payloadBytes, run: run, publisher: publisher, format: format)

        bytes = RawPackets.packet(firstByte: 0x30 | qos.rawValue << 1, body: body)
        let headerBytes = bytes.count - body.count
        stampOffset = headerBytes + stampInBody
        packetIdentifierOffset = qos > .atMostOnce ? headerBytes + identifierInBody : nil
        self.format = format
    }

    /// A payload alone, as what goes by other ways than a PUBLISH carries it.
    package init(payloadBytes: Int, run: UInt32, publisher: UInt32, format: MessageFormat) {
        var body: [UInt8] = []
        stampOffset = Self.appendPayload(to: &body, payloadBytes: payloadBytes, run: run, publisher: publisher, format: format)
        bytes = body
        packetIdentifierOffset = nil
        self.format = format
    }

    /// Answers where the stamp begins.
    private static func appendPayload(
        to body: inout [UInt8], payloadBytes: Int, run: UInt32, publisher: UInt32, format: MessageFormat
    ) -> Int {
        let start = body.count
        switch format {
        case .binary:
            precondition(payloadBytes >= MessageStamp.byteCount, "a payload holds at least its stamp")
            body += [run, publisher].flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) } }
            body += (8..<payloadBytes).map(MessageStamp.filler(at:))
            return start
        case .json:
            var (bytes, stampOffset) = StatusText.payload(user: Int(publisher), run: run, payloadBytes: payloadBytes)
            unsafe bytes.withUnsafeMutableBytes { unsafe (UInt64(run) << 32 | UInt64(publisher)).writeDigits(into: $0, at: stampOffset) }
            body += bytes
            return start + stampOffset
        }
    }

    /// The size of one packet on the wire.
    package var packetBytes: Int { bytes.count }

    /// The packet identifier that carries `sequence`: 1 to 65,535, then again.
    package static func packetIdentifier(of sequence: UInt64) -> UInt16 { UInt16(truncatingIfNeeded: sequence % 65_535 + 1) }

    /// Appends the packets of `count` consecutive sequence numbers.
    ///
    /// Message k leaves with the time `intendedAt + k * interval` (nanoseconds); an interval of 0 gives all the same.
    package func append(_ count: Int, from sequence: UInt64, intendedAt: UInt64, interval: Double, to buffer: inout ByteBuffer) {
        let size = bytes.count
        unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count * size) { target in
            unsafe bytes.withUnsafeBytes { template in
                for index in 0..<count {
                    // Within `target`, which holds `count * size` bytes; the offsets lie within one packet by construction.
                    let packet = unsafe UnsafeMutableRawBufferPointer(rebasing: target[(index * size)..<((index + 1) * size)])
                    unsafe packet.copyMemory(from: template)
                    let number = sequence &+ UInt64(index)
                    if let packetIdentifierOffset {
                        let identifier = Self.packetIdentifier(of: number)
                        unsafe packet.storeBytes(of: identifier.bigEndian, toByteOffset: packetIdentifierOffset, as: UInt16.self)
                    }
                    let time = interval == 0 ? intendedAt : intendedAt &+ UInt64(Double(index) * interval)
                    switch format {
                    case .binary:
                        unsafe packet.storeBytes(of: number.bigEndian, toByteOffset: stampOffset + 8, as: UInt64.self)
                        unsafe packet.storeBytes(of: time.bigEndian, toByteOffset: stampOffset + 16, as: UInt64.self)
                    case .json:
                        unsafe number.writeDigits(into: packet, at: stampOffset + 16)
                        unsafe time.writeDigits(into: packet, at: stampOffset + 32)
                    }
                }
            }
            return count * size
        }
    }
}
