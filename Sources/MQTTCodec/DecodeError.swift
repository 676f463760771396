/// Why bytes are not a control packet of MQTT 3.1.1.
///
/// Every case means that the connection must be closed [MQTT-4.8.0-1]; the broker logs ``description`` with the client's name.
package enum DecodeError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A remaining length of more than four bytes.
    case remainingLengthTooLong
    /// A packet larger than the reader allows.
    case packetTooLarge(bytes: Int, limit: Int)
    /// Type 0 or 15.
    case reservedPacketType(UInt8)
    /// Flag bits that the type does not allow: of the fixed header, or of CONNACK.
    case reservedFlags(PacketType, UInt8)
    /// A length field points beyond the packet's end.
    case truncated(PacketType)
    /// Bytes after the last field.
    case trailingBytes(PacketType)
    /// Text that is not well-formed UTF-8.
    case invalidUTF8(PacketType)
    /// Text that contains U+0000.
    case nullCharacter(PacketType)
    case invalidQoS(PacketType)
    /// DUP set on a QoS 0 PUBLISH.
    case duplicateFlagAtQoS0
    case emptyTopicName
    case wildcardInTopicName
    case invalidTopicFilter
    case zeroPacketIdentifier(PacketType)
    /// SUBSCRIBE or UNSUBSCRIBE without a topic filter.
    case noTopicFilter(PacketType)
    case tooManyTopicFilters(limit: Int)
    case wrongProtocolName
    /// A level that is not 4 after the name MQTT, or any after MQIsdp, the name of MQTT 3.1. The server answers with a refusal.
    case unsupportedProtocolLevel(UInt8)
    case reservedConnectFlag
    case willFlagsWithoutWill
    case passwordWithoutUserName
    /// A return code that the specification does not define.
    case invalidReturnCode(PacketType)

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
        case .invalidQoS(let type): "\(type.name) asks for a QoS that does not exist"
        case .duplicateFlagAtQoS0: "PUBLISH has DUP set at QoS 0"
        case .emptyTopicName: "the topic name is empty"
        case .wildcardInTopicName: "the topic name contains a wildcard"
        case .invalidTopicFilter: "the topic filter is empty or has a wildcard in a wrong place"
        case .zeroPacketIdentifier(let type): "\(type.name) has packet identifier 0"
        case .noTopicFilter(let type): "\(type.name) has no topic filter"
        case .tooManyTopicFilters(let limit): "more than \(limit) topic filters in one packet"
        case .wrongProtocolName: "the protocol name is not MQTT"
        case .unsupportedProtocolLevel(let level): "protocol level \(level) is not supported"
        case .reservedConnectFlag: "the reserved CONNECT flag is set"
        case .willFlagsWithoutWill: "will QoS or will retain is set without a will"
        case .passwordWithoutUserName: "a password without a user name"
        case .invalidReturnCode(let type): "\(type.name) has a return code that does not exist"
        }
    }
}
