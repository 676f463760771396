package import NIOCore

/// CONNACK (MQTT 3.1.1 and MQTT 5 section 3.2).
package struct Connack: Equatable, Sendable {
    /// Means something with ``ReasonCode/success`` only, and is written as 0 with any other code, and in MQTT 3.1, where the byte means
    /// nothing.
    package var sessionPresent: Bool
    /// In MQTT 3.1.1 one of five return codes: see ``ConnectReturnCode``.
    package var reasonCode: ReasonCode
    /// MQTT 5 only.
    package var properties: Properties

    package init(sessionPresent: Bool, reasonCode: ReasonCode, properties: Properties = Properties()) {
        self.sessionPresent = sessionPresent
        self.reasonCode = reasonCode
        self.properties = properties
    }

    init(decoding body: ByteBuffer, _ context: DecodingContext) throws(DecodeError) {
        var fields = FieldReader(body, of: .connack)
        let flags = try fields.byte()
        guard flags & 0xFE == 0 else { throw .reservedFlags(.connack, flags) }  // [MQTT-2.2.2-2] [MQTT5-3.2.2-1]
        switch context.version {
        case .v31, .v311:
            let byte = try fields.byte()
            guard let code = ConnectReturnCode(rawValue: byte) else { throw .invalidReasonCode(.connack, byte) }
            reasonCode = code.reasonCode
        case .v5: reasonCode = try fields.reasonCode(from: context.sender)
        }
        if reasonCode != .success && flags != 0 { throw .reservedFlags(.connack, flags) }  // [MQTT-3.2.2-4] [MQTT5-3.2.2-6]
        sessionPresent = flags != 0 && context.version != .v31
        properties = try fields.properties(of: .connack, context)
        try fields.end()
    }
}

extension Connack: EncodablePacket {
    package var firstByte: UInt8 { PacketType.connack.firstByte }

    package func bodySize(version: ProtocolVersion) -> Int { version != .v5 ? 2 : 2 + properties.encodedSize }

    package func writeBody(into buffer: inout ByteBuffer, version: ProtocolVersion) {
        // [MQTT-3.2.2-4] [MQTT5-3.2.2-6]
        let flags: UInt8 = sessionPresent && reasonCode == .success && version != .v31 ? 1 : 0
        switch version {
        case .v31, .v311: buffer.writeMultipleIntegers(flags, ConnectReturnCode(nearest: reasonCode).rawValue)
        case .v5:
            buffer.writeMultipleIntegers(flags, reasonCode.rawValue)
            buffer.writeProperties(properties)
        }
    }
}

/// The return codes of CONNACK in MQTT 3.1.1 (table 3.1).
package enum ConnectReturnCode: UInt8, Sendable, CaseIterable {
    case accepted = 0
    case unacceptableProtocolVersion = 1
    case identifierRejected = 2
    case serverUnavailable = 3
    case badUserNameOrPassword = 4
    case notAuthorized = 5

    /// The same in MQTT 5.
    package var reasonCode: ReasonCode {
        switch self {
        case .accepted: .success
        case .unacceptableProtocolVersion: .unsupportedProtocolVersion
        case .identifierRejected: .clientIdentifierNotValid
        case .serverUnavailable: .serverUnavailable
        case .badUserNameOrPassword: .badUserNameOrPassword
        case .notAuthorized: .notAuthorized
        }
    }

    /// The code that comes nearest: for what the client may never do, not authorized; for what may pass, server unavailable.
    package init(nearest code: ReasonCode) {
        self =
            switch code {
            case _ where !code.isError: .accepted
            case .unsupportedProtocolVersion: .unacceptableProtocolVersion
            case .clientIdentifierNotValid: .identifierRejected
            case .badUserNameOrPassword: .badUserNameOrPassword
            case .notAuthorized, .banned, .badAuthenticationMethod, .topicNameInvalid, .administrativeAction, .packetTooLarge,
                .payloadFormatInvalid, .retainNotSupported, .qosNotSupported, .malformedPacket, .protocolError:
                .notAuthorized
            default: .serverUnavailable
            }
    }
}
