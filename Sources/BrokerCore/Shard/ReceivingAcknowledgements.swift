import MQTTCodec
import NIOCore

/// Acknowledgements that follow each other, taken together: in memory each is no more than a mark in a window (record 0033).
extension Shard {
    /// Takes PUBACK, PUBREC, PUBREL or PUBCOMP without reason code, which means success, where nothing on disk is to follow them.
    ///
    /// Answers false when the next packet is nothing of the kind, or its identifier is not known.
    func receiveAcknowledgements(_ buffer: inout ByteBuffer, on connection: ClientConnection) -> Bool {
        guard turns == nil, let session = connection.session, let type = PacketType(rawValue: buffer.readableBytesUInt8Span[0] >> 4)
        else { return false }
        let count: Int
        switch type {
        case .puback:
            // Until here they were unacknowledged [MQTT-4.3.2-1].
            count = Self.take(type, reading: buffer.readableBytesUInt8Span) { session.window.acknowledge($0) }
            if count > 0 { pump(session) }
        case .pubrec:
            let wasFull = session.window.bytes >= limits.inflightBytesMax
            count = Self.take(type, reading: buffer.readableBytesUInt8Span) { packetID in
                guard session.window.received(packetID) else { return false }
                write(.pubrel, packetID, .success, on: connection)  // [MQTT-4.3.3-1] [MQTT5-4.3.3-4]
                return true
            }
            if wasFull, count > 0 { pump(session) } else { countWaiting(of: session) }
        case .pubrel:
            count = Self.take(type, reading: buffer.readableBytesUInt8Span) { packetID in
                guard session.awaitingPubrel.release(packetID) else { return false }
                write(.pubcomp, packetID, .success, on: connection)  // [MQTT-4.3.3-2] [MQTT5-4.3.3-11]
                return true
            }
            countAwaitingPubrel(of: session)
        case .pubcomp:
            count = Self.take(type, reading: buffer.readableBytesUInt8Span) { session.window.complete($0) }
            if count > 0 { pump(session) }
        default: return false
        }
        counters.packetsReceived &+= UInt64(count)
        buffer.moveReaderIndex(forwardBy: 4 * count)
        return count > 0
    }

    /// Calls `body` with the identifiers of packets of one type from the front on, until it answers false, and answers how many it took.
    private static func take(_ type: PacketType, reading bytes: Swift.Span<UInt8>, _ body: (UInt16) -> Bool) -> Int {
        let firstByte = type.rawValue << 4 | (type.requiredFlags ?? 0)
        var count = 0
        while 4 * count + 4 <= bytes.count {
            let start = 4 * count
            let packetID = UInt16(bytes[start + 2]) << 8 | UInt16(bytes[start + 3])
            guard bytes[start] == firstByte, bytes[start + 1] == 2, packetID != 0, body(packetID) else { break }
            count += 1
        }
        return count
    }
}
