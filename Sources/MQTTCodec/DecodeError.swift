/// Why bytes are not a control packet of the version they are read as.
///
/// Every case means that the connection must be closed [MQTT-4.8.0-1] [MQTT5-4.13.1-1]; the broker logs ``description`` with the client's
/// name, and tells a client of MQTT 5 the ``reasonCode``.
package enum DecodeError: Error, Equatable, Sendable {
    // MARK: Framing

    /// A remaining length of more than four bytes.
    case remainingLengthTooLong
    /// A packet larger than the reader allows.
    case packetTooLarge(bytes: Int, limit: Int)
    /// Type 0, or 15 before MQTT 5.
    case reservedPacketType(UInt8)
    /// Flag bits that the type does not allow: of the fixed header, or of CONNACK.
    case reservedFlags(PacketType, UInt8)
    /// A length field points beyond the packet's end.
    case truncated(PacketType)
    /// Bytes after the last field.
    case trailingBytes(PacketType)

    // MARK: Fields

    /// Text that is not well-formed UTF-8.
    case invalidUTF8(PacketType)
    /// Text that contains U+0000.
    case nullCharacter(PacketType)
    /// A text holds a control character, or a code point that is for no character.
    case disallowedCharacter(PacketType)
    /// A variable byte integer that takes more bytes than it needs; MQTT 5 only.
    case integerNotMinimal(PacketType)
    /// A variable byte integer, other than the remaining length, of more than four bytes.
    case integerTooLong(PacketType)
    case invalidQoS(PacketType)
    case zeroPacketIdentifier(PacketType)
    /// A reason or return code that does not exist, or that the sender may not send in this packet.
    case invalidReasonCode(PacketType, UInt8)

    // MARK: Topics

    /// DUP set on a QoS 0 PUBLISH.
    case duplicateFlagAtQoS0
    case emptyTopicName
    case wildcardInTopicName
    case invalidTopicFilter
    /// `$share/` without a share name or a filter behind it, or with a wildcard in the name.
    case invalidSharedFilter
    case noLocalOnSharedSubscription
    case reservedSubscriptionOptions(UInt8)
    case invalidRetainHandling
    /// SUBSCRIBE or UNSUBSCRIBE without a topic filter.
    case noTopicFilter(PacketType)
    case tooManyTopicFilters(limit: Int)

    // MARK: CONNECT

    case wrongProtocolName
    /// A level that is neither 4 nor 5 after the name MQTT, or not 3 after MQIsdp, the name of MQTT 3.1. The server answers with a refusal.
    case unsupportedProtocolLevel(UInt8, ofOldName: Bool)
    case reservedConnectFlag
    case willFlagsWithoutWill
    /// Not in MQTT 5.
    case passwordWithoutUserName
    /// Authentication data without a method, or AUTH without one.
    case noAuthenticationMethod(PacketType)

    // MARK: Properties

    case unknownProperty(UInt8, PacketType)
    case propertyNotAllowed(PropertyIdentifier, PropertyPlace)
    /// A property that only the other side sends in such a packet.
    case misdirectedProperty(PropertyIdentifier, PacketType)
    case repeatedProperty(PropertyIdentifier)
    case invalidPropertyValue(PropertyIdentifier)
    case zeroTopicAlias
    case tooManyUserProperties(limit: Int)
    case propertiesTooLong(bytes: Int, limit: Int)
}

extension DecodeError {
    /// What CONNACK or DISCONNECT of MQTT 5 says before the connection is closed.
    ///
    /// Malformed is what cannot be parsed as the specification writes it; a protocol error is what can be, and is not allowed.
    package var reasonCode: ReasonCode {
        switch self {
        case .remainingLengthTooLong, .reservedPacketType, .reservedFlags, .truncated, .trailingBytes, .invalidUTF8, .nullCharacter,
            .disallowedCharacter, .integerNotMinimal, .integerTooLong, .duplicateFlagAtQoS0, .wildcardInTopicName, .invalidTopicFilter,
            .invalidSharedFilter,
            .reservedSubscriptionOptions, .reservedConnectFlag, .willFlagsWithoutWill, .passwordWithoutUserName, .unknownProperty,
            .propertyNotAllowed:
            .malformedPacket
        case .invalidQoS(let type): type == .subscribe ? .protocolError : .malformedPacket  // sections 3.1.2.6, 3.3.1.2, 3.8.3.1
        case .zeroPacketIdentifier, .invalidReasonCode, .emptyTopicName, .noLocalOnSharedSubscription, .invalidRetainHandling,
            .noTopicFilter, .noAuthenticationMethod, .misdirectedProperty, .repeatedProperty, .invalidPropertyValue:
            .protocolError
        case .packetTooLarge: .packetTooLarge
        case .wrongProtocolName, .unsupportedProtocolLevel: .unsupportedProtocolVersion
        case .zeroTopicAlias: .topicAliasInvalid
        case .tooManyTopicFilters, .tooManyUserProperties, .propertiesTooLong: .quotaExceeded
        }
    }

    /// Whether the packet can be parsed, and says what is not allowed.
    package var isProtocolError: Bool { reasonCode == .protocolError }
}

extension DecodeError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .remainingLengthTooLong: "the remaining length has more than four bytes"
        case .packetTooLarge(let bytes, let limit): "a packet of \(bytes) bytes is larger than the limit of \(limit)"
        case .reservedPacketType(let type): "packet type \(type) is reserved"
        case .reservedFlags(let type, let flags): "\(type.name) must not carry the flags \(flags)"
        case .truncated(let type): "\(type.name) ends before its last field"
        case .trailingBytes(let type): "\(type.name) has bytes after its last field"
        case .invalidUTF8(let type): "\(type.name) holds text that is not UTF-8"
        case .nullCharacter(let type): "\(type.name) holds text with U+0000"
        case .disallowedCharacter(let type): "\(type.name) holds text with a control character, or with what is no character of Unicode"
        case .integerNotMinimal(let type): "\(type.name) has a length or number in more bytes than it needs"
        case .integerTooLong(let type): "\(type.name) has a length or number of more than four bytes"
        case .invalidQoS(let type): "\(type.name) asks for a QoS that does not exist"
        case .zeroPacketIdentifier(let type): "\(type.name) has packet identifier 0"
        case .invalidReasonCode(let type, let code):
            "\(type.name) has the code \(code), which does not exist or is not its sender's to send"
        case .duplicateFlagAtQoS0: "PUBLISH has DUP set at QoS 0"
        case .emptyTopicName: "the topic name is empty"
        case .wildcardInTopicName: "the topic name contains a wildcard"
        case .invalidTopicFilter: "the topic filter is empty or has a wildcard in a wrong place"
        case .invalidSharedFilter: "the topic filter is not $share/NAME/FILTER"
        case .noLocalOnSharedSubscription: "a shared subscription asks for no local"
        case .reservedSubscriptionOptions(let options): "the subscription options \(options) have reserved bits set"
        case .invalidRetainHandling: "SUBSCRIBE asks for retain handling 3"
        case .noTopicFilter(let type): "\(type.name) has no topic filter"
        case .tooManyTopicFilters(let limit): "more than \(limit) topic filters in one packet"
        case .wrongProtocolName: "the protocol name is not MQTT"
        case .unsupportedProtocolLevel(let level, _): "protocol level \(level) is not supported"
        case .reservedConnectFlag: "the reserved CONNECT flag is set"
        case .willFlagsWithoutWill: "will QoS or will retain is set without a will"
        case .passwordWithoutUserName: "a password without a user name"
        case .noAuthenticationMethod(let type): "\(type.name) authenticates and names no authentication method"
        case .unknownProperty(let identifier, let type): "\(type.name) has property \(identifier), which does not exist"
        case .propertyNotAllowed(let identifier, let place): "\(identifier.name) is no property of \(place.name)"
        case .misdirectedProperty(let identifier, let type): "\(identifier.name) in \(type.name) is not for this side to send"
        case .repeatedProperty(let identifier): "the property \(identifier.name) is there twice"
        case .invalidPropertyValue(let identifier): "the property \(identifier.name) has a value that is not allowed"
        case .zeroTopicAlias: "the topic alias is 0"
        case .tooManyUserProperties(let limit): "more than \(limit) user properties in one packet"
        case .propertiesTooLong(let bytes, let limit): "\(bytes) bytes of properties are more than the limit of \(limit)"
        }
    }
}
