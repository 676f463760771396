package import NIOCore

/// AUTH (MQTT 5 section 3.15).
package struct Auth: Equatable, Sendable {
    package var reasonCode: ReasonCode
    package var properties: Properties

    package init(reasonCode: ReasonCode, properties: Properties = Properties()) {
        self.reasonCode = reasonCode
        self.properties = properties
    }

    init(decoding body: ByteBuffer, _ context: DecodingContext) throws(DecodeError) {
        var fields = FieldReader(body, of: .auth)
        // Nothing at all means success without properties, which is a server's to say; the length alone cannot be left out.
        if fields.isAtEnd {
            guard context.sender == .server else { throw .invalidReasonCode(.auth, 0) }  // [MQTT5-3.15.2-1]
            reasonCode = .success
            properties = Properties()
            return
        }
        reasonCode = try fields.reasonCode(from: context.sender)
        properties = try fields.properties(of: .auth, context)
        try fields.end()
        // Section 3.15.2.2.2, and the short form for success.
        if reasonCode != .success || !properties.isEmpty, properties.authenticationMethod == nil { throw .noAuthenticationMethod(.auth) }
    }
}

extension Auth: EncodablePacket {
    package var firstByte: UInt8 { PacketType.auth.firstByte }

    package func bodySize(version: ProtocolVersion) -> Int {
        reasonCode == .success && properties.isEmpty ? 0 : 1 + properties.encodedSize
    }

    package func writeBody(into buffer: inout ByteBuffer, version: ProtocolVersion) {
        if bodySize(version: version) == 0 { return }
        buffer.writeInteger(reasonCode.rawValue)
        buffer.writeProperties(properties)
    }
}
