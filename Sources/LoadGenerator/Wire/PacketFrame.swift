package import NIOCore

/// Why bytes from a broker could not be read.
///
/// Any of them ends the run: what follows on that connection means nothing.
package enum WireError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A remaining length of more than four bytes.
    case malformedRemainingLength
    /// A packet larger than anything that this run can have caused.
    case packetTooLarge(bytes: Int, limit: Int)
    /// A packet that ends before the fields that its type has.
    case truncatedPacket(firstByte: UInt8)
    /// A packet that a broker does not send, or not now.
    case unexpectedPacket(firstByte: UInt8)
    /// An MQTT 5 acknowledgement that says no to a message.
    case refusedPublish(reasonCode: UInt8)
    /// An MQTT 5 broker's DISCONNECT.
    case disconnected(reasonCode: UInt8)

    package var description: String {
        switch self {
        case .malformedRemainingLength: "the broker sent a remaining length of more than four bytes"
        case .packetTooLarge(let bytes, let limit): "the broker sent a packet of \(bytes) bytes; this run causes none over \(limit)"
        case .truncatedPacket(let byte): "the broker sent a packet (first byte \(byte)) that ends inside its fields"
        case .unexpectedPacket(let byte): "the broker sent a packet (first byte \(byte)) that does not belong here"
        case .refusedPublish(let code): "the broker refused a message with reason code \(code)"
        case .disconnected(let code): "the broker ended the connection with reason code \(code)"
        }
    }
}

/// Where one packet lies in a span of received bytes.
struct PacketFrame {
    let firstByte: UInt8
    /// The offset of the first byte after the fixed header.
    let bodyStart: Int
    /// The offset of the first byte after the packet.
    let end: Int

    var kind: UInt8 { firstByte >> 4 }

    /// Why this packet ends the run: it is an MQTT 5 broker's DISCONNECT, or nothing that belongs here.
    func refusal(in bytes: RawSpan) -> WireError {
        guard kind == 14 else { return .unexpectedPacket(firstByte: firstByte) }
        // In bounds: the frame lies within `bytes`. Without a reason code it is 0 (MQTT 5 section 3.14.2.1).
        return .disconnected(reasonCode: end > bodyStart ? unsafe bytes.unsafeLoad(fromByteOffset: bodyStart, as: UInt8.self) : 0)
    }

    /// The offset behind the MQTT 5 properties that begin at `offset`; an error when they are not all in this packet.
    func endOfProperties(in bytes: RawSpan, at offset: Int) throws(WireError) -> Int {
        var length = 0
        for index in 0..<4 {
            let position = offset + index
            guard position < end else { throw .truncatedPacket(firstByte: firstByte) }
            // In bounds: the frame lies within `bytes`.
            let byte = unsafe bytes.unsafeLoad(fromByteOffset: position, as: UInt8.self)
            length |= Int(byte & 0x7F) << (7 * index)
            if byte & 0x80 == 0 {
                guard length <= end - position - 1 else { throw .truncatedPacket(firstByte: firstByte) }
                return position + 1 + length
            }
        }
        throw .malformedRemainingLength
    }

    /// Finds the packet that starts at `offset`; `nil` when its bytes are not all there.
    ///
    /// `offset` is at most `bytes.byteCount`; the answer never points past it.
    @inline(__always)
    static func next(in bytes: RawSpan, at offset: Int) throws(WireError) -> PacketFrame? {
        switch try PacketHeader.parse(bytes, at: offset) {
        case .incomplete: return nil
        case .complete(let header):
            guard header.bodyBytes <= bytes.byteCount - header.bodyStart else { return nil }
            return PacketFrame(firstByte: header.firstByte, bodyStart: header.bodyStart, end: header.bodyStart + header.bodyBytes)
        }
    }
}

/// A packet's fixed header: its type, and how long the rest is.
private struct PacketHeader {
    enum Parsed {
        case incomplete
        case complete(PacketHeader)
    }

    let firstByte: UInt8
    let bodyStart: Int
    let bodyBytes: Int

    @inline(__always)
    static func parse(_ bytes: RawSpan, at offset: Int) throws(WireError) -> Parsed {
        guard offset + 1 < bytes.byteCount else { return .incomplete }
        // In bounds here and below: each offset is compared with byteCount before the load.
        let firstByte = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
        var length = 0
        for index in 0..<4 {
            let position = offset + 1 + index
            guard position < bytes.byteCount else { return .incomplete }
            let byte = unsafe bytes.unsafeLoad(fromByteOffset: position, as: UInt8.self)
            length |= Int(byte & 0x7F) << (7 * index)
            if byte & 0x80 == 0 {
                return .complete(PacketHeader(firstByte: firstByte, bodyStart: position + 1, bodyBytes: length))
            }
        }
        throw WireError.malformedRemainingLength
    }
}

/// Cuts a stream of reads into packets, and copies only a packet that two reads share.
package struct PacketReassembler {
    /// The largest packet that is kept until it is whole, in bytes.
    private let packetBytesMax: Int
    private var carried = ByteBuffer()

    package init(packetBytesMax: Int) {
        self.packetBytesMax = packetBytesMax
    }

    /// Hands the bytes of `incoming` on, whole packets first to last.
    ///
    /// `consume` takes the whole packets at the front of a span, and answers how many bytes they were.
    @inline(__always)
    package mutating func process(
        _ incoming: inout ByteBuffer, consume: (RawSpan) throws(WireError) -> Int
    ) throws(WireError) {
        if carried.readableBytes > 0 {
            guard try completeCarriedPacket(from: &incoming) else { return }
            _ = try consume(carried.readableBytesSpan)
            carried.clear()
        }
        let consumed = try consume(incoming.readableBytesSpan)
        incoming.moveReaderIndex(forwardBy: consumed)
        if incoming.readableBytes > 0 { carried.writeBuffer(&incoming) }
    }

    /// Moves just the bytes that the cut packet lacks; false when `incoming` does not hold them all.
    private mutating func completeCarriedPacket(from incoming: inout ByteBuffer) throws(WireError) -> Bool {
        while true {
            var missing = 1  // as long as the header is not whole, byte by byte
            if case .complete(let header) = try PacketHeader.parse(carried.readableBytesSpan, at: 0) {
                let packetBytes = header.bodyStart + header.bodyBytes
                guard packetBytes <= packetBytesMax else { throw .packetTooLarge(bytes: packetBytes, limit: packetBytesMax) }
                missing = packetBytes - carried.readableBytes
                if missing == 0 { return true }
            }
            guard var part = incoming.readSlice(length: min(missing, incoming.readableBytes)), part.readableBytes > 0 else { return false }
            carried.writeBuffer(&part)
        }
    }
}
