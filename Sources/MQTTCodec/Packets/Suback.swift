package import NIOCore

/// SUBACK (MQTT 3.1.1 and MQTT 5 section 3.9).
package struct Suback: Equatable, Sendable {
    package var packetID: UInt16
    /// One for each filter, in the filters' order.
    ///
    /// MQTT 3.1.1 writes every error as 0x80. MQTT 3.1 has no error: there "a positive acknowledgement" is asked for also where a filter is
    /// refused (V3.1 section 3.8), and QoS 0 is written, which promises least.
    package var reasonCodes: [ReasonCode]
    /// MQTT 5 only.
    package var properties: Properties

    package init(packetID: UInt16, reasonCodes: [ReasonCode], properties: Properties = Properties()) {
        self.packetID = packetID
        self.reasonCodes = reasonCodes
        self.properties = properties
    }

    init(decoding body: ByteBuffer, _ context: DecodingContext) throws(DecodeError) {
        var fields = FieldReader(body, of: .suback)
        packetID = try fields.packetIdentifier()
        properties = try fields.properties(of: .suback, context)
        reasonCodes = []
        while !fields.isAtEnd {
            switch context.version {
            case .v31, .v311:
                let byte = try fields.byte()
                guard byte <= 2 || byte == 0x80 && context.version != .v31, let code = ReasonCode(rawValue: byte) else {
                    throw .invalidReasonCode(.suback, byte)  // [MQTT-3.9.3-2]
                }
                reasonCodes.append(code)
            case .v5: reasonCodes.append(try fields.reasonCode(from: context.sender))
            }
        }
        // [MQTT-3.8.4-5] [MQTT5-3.8.4-6]: one for each filter, and there is at least one
        if reasonCodes.isEmpty { throw .truncated(.suback) }
    }
}

extension Suback: EncodablePacket {
    package var firstByte: UInt8 { PacketType.suback.firstByte }

    package func bodySize(version: ProtocolVersion) -> Int {
        2 + (version != .v5 ? 0 : properties.encodedSize) + reasonCodes.count
    }

    package func writeBody(into buffer: inout ByteBuffer, version: ProtocolVersion) {
        buffer.writeInteger(packetID)
        if version == .v5 { buffer.writeProperties(properties) }
        for code in reasonCodes {
            let written =
                switch version {
                case .v31 where code.isError: ReasonCode.granted(.atMostOnce)
                case .v311 where code.isError: ReasonCode.unspecifiedError
                default: code
                }
            buffer.writeInteger(written.rawValue)
        }
    }
}
