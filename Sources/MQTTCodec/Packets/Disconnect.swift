package import NIOCore

/// DISCONNECT (MQTT 3.1.1 and MQTT 5 section 3.14).
package struct Disconnect: Equatable, Sendable {
    /// MQTT 5 only.
    package var reasonCode: ReasonCode
    /// MQTT 5 only.
    package var properties: Properties

    package init(reasonCode: ReasonCode = .normalDisconnection, properties: Properties = Properties()) {
        self.reasonCode = reasonCode
        self.properties = properties
    }

    init(decoding body: ByteBuffer, _ context: DecodingContext) throws(DecodeError) {
        var fields = FieldReader(body, of: .disconnect)
        // MQTT 5 leaves out what says nothing, as acknowledgements do.
        let hasReason = context.version == .v5 && !fields.isAtEnd
        reasonCode = hasReason ? try fields.reasonCode(from: context.sender) : .normalDisconnection
        properties = hasReason && !fields.isAtEnd ? try fields.properties(of: .disconnect, context) : Properties()
        try fields.end()
    }
}

extension Disconnect: EncodablePacket {
    package var firstByte: UInt8 { PacketType.disconnect.firstByte }

    package func bodySize(version: ProtocolVersion) -> Int {
        if version != .v5 { return 0 }
        if properties.isEmpty { return reasonCode == .normalDisconnection ? 0 : 1 }
        return 1 + properties.encodedSize
    }

    package func writeBody(into buffer: inout ByteBuffer, version: ProtocolVersion) {
        if bodySize(version: version) == 0 { return }
        buffer.writeInteger(reasonCode.rawValue)
        if !properties.isEmpty { buffer.writeProperties(properties) }
    }
}
