package import NIOCore

/// UNSUBACK (MQTT 3.1.1 and MQTT 5 section 3.11).
package struct Unsuback: Equatable, Sendable {
    package var packetID: UInt16
    /// One for each filter, in the filters' order; MQTT 5 only.
    package var reasonCodes: [ReasonCode]
    /// MQTT 5 only.
    package var properties: Properties

    package init(packetID: UInt16, reasonCodes: [ReasonCode] = [], properties: Properties = Properties()) {
        self.packetID = packetID
        self.reasonCodes = reasonCodes
        self.properties = properties
    }

    init(decoding body: ByteBuffer, _ context: DecodingContext) throws(DecodeError) {
        var fields = FieldReader(body, of: .unsuback)
        packetID = try fields.packetIdentifier()
        properties = try fields.properties(of: .unsuback, context)
        reasonCodes = []
        if context.version != .v5 {
            try fields.end()
            return
        }
        while !fields.isAtEnd { reasonCodes.append(try fields.reasonCode(from: context.sender)) }
        if reasonCodes.isEmpty { throw .truncated(.unsuback) }  // one for each filter, and there is at least one
    }
}

extension Unsuback: EncodablePacket {
    package var firstByte: UInt8 { PacketType.unsuback.firstByte }

    package func bodySize(version: ProtocolVersion) -> Int {
        version != .v5 ? 2 : 2 + properties.encodedSize + reasonCodes.count
    }

    package func writeBody(into buffer: inout ByteBuffer, version: ProtocolVersion) {
        buffer.writeInteger(packetID)
        if version != .v5 { return }
        buffer.writeProperties(properties)
        for code in reasonCodes { buffer.writeInteger(code.rawValue) }
    }
}
