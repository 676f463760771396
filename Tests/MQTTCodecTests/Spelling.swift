import MQTTCodec
import NIOCore

/// A packet in one line, as the vectors spell it.
///
/// Long fields are written as their size.
func summary(_ packet: Packet) -> String {
    switch packet {
    case .connect(let connect): summary(connect)
    case .connack(let connack):
        "CONNACK present=\(connack.sessionPresent ? 1 : 0) code=\(connack.reasonCode)" + summary(connack.properties)
    case .publish(let publish): summary(publish)
    case .puback(let packet): "PUBACK" + summary(packet)
    case .pubrec(let packet): "PUBREC" + summary(packet)
    case .pubrel(let packet): "PUBREL" + summary(packet)
    case .pubcomp(let packet): "PUBCOMP" + summary(packet)
    case .subscribe(let subscribe):
        subscribe.requests.reduce("SUBSCRIBE id=\(subscribe.packetID)" + summary(subscribe.properties)) { "\($0) \(summary($1))" }
    case .suback(let suback):
        suback.reasonCodes.reduce("SUBACK id=\(suback.packetID)" + summary(suback.properties)) { "\($0) \($1)" }
    case .unsubscribe(let unsubscribe):
        unsubscribe.filters.reduce("UNSUBSCRIBE id=\(unsubscribe.packetID)" + summary(unsubscribe.properties)) {
            "\($0) \(text($1.utf8))"
        }
    case .unsuback(let unsuback):
        unsuback.reasonCodes.reduce("UNSUBACK id=\(unsuback.packetID)" + summary(unsuback.properties)) { "\($0) \($1)" }
    case .pingreq: "PINGREQ"
    case .pingresp: "PINGRESP"
    case .disconnect(let packet):
        "DISCONNECT" + (packet.reasonCode == .normalDisconnection ? "" : " code=\(packet.reasonCode)") + summary(packet.properties)
    case .auth(let packet): "AUTH code=\(packet.reasonCode)" + summary(packet.properties)
    }
}

private func text(_ value: some Collection<UInt8>) -> String {
    value.count > 64 ? "<\(value.count) bytes>" : "'\(String(decoding: value, as: UTF8.self))'"
}

private func bytes(_ value: ByteBuffer) -> String {
    value.readableBytes > 64 ? "<\(value.readableBytes) bytes>" : hexadecimal(value.readableBytesView)
}

private func summary(_ connect: Connect) -> String {
    var line = "CONNECT"
    if connect.version != .v311 { line += " version=\(connect.version.name)" }
    line += " client=\(text(connect.clientID.utf8)) clean=\(connect.cleanStart ? 1 : 0) keepalive=\(connect.keepAlive)"
    line += summary(connect.properties)
    if let will = connect.will {
        line += " will(topic=\(text(will.topic.readableBytesView)) payload=\(bytes(will.payload))"
        line += " qos=\(will.qos.rawValue) retain=\(will.retain ? 1 : 0)\(summary(will.properties)))"
    }
    if let userName = connect.userName { line += " user=\(text(userName.utf8))" }
    if let password = connect.password { line += " password=\(bytes(password))" }
    return line
}

private func summary(_ publish: Publish) -> String {
    var line = "PUBLISH topic=\(text(publish.topic.readableBytesView)) payload=\(bytes(publish.payload)) qos=\(publish.qos.rawValue)"
    if publish.duplicate { line += " dup=1" }
    if publish.retain { line += " retain=1" }
    if publish.packetID != 0 { line += " id=\(publish.packetID)" }
    return line + summary(publish.properties)
}

private func summary(_ packet: Acknowledgement) -> String {
    " id=\(packet.packetID)" + (packet.reasonCode == .success ? "" : " code=\(packet.reasonCode)") + summary(packet.properties)
}

private func summary(_ request: Subscribe.Request) -> String {
    var line = "\(text(request.filter.utf8))@\(request.qos.rawValue)"
    if request.noLocal { line += "+noLocal" }
    if request.retainAsPublished { line += "+retainAsPublished" }
    if request.retainHandling != .sendAtSubscribe { line += "+\(request.retainHandling)" }
    return line
}

private func summary(_ properties: Properties) -> String {
    if properties.isEmpty { return "" }
    let list = properties.all
    if list.count > 64 { return " {<\(list.count) properties>}" }
    return " {" + list.map { "\($0.identifier)=\(summary($0.value))" }.joined(separator: " ") + "}"
}

private func summary(_ value: PropertyValue) -> String {
    switch value {
    case .byte(let number): "\(number)"
    case .twoByteInteger(let number): "\(number)"
    case .fourByteInteger(let number), .variableByteInteger(let number): "\(number)"
    case .text(let value): text(value.utf8)
    case .binary(let value): bytes(value)
    case .textPair(let name, let value): "\(text(name.utf8)):\(text(value.utf8))"
    }
}

/// An error as the vectors spell it: the case's name, and its values.
func label(_ error: DecodeError) -> String {
    switch error {
    case .packetTooLarge(let bytes, let limit): "packetTooLarge(\(bytes), \(limit))"
    case .propertiesTooLong(let bytes, let limit): "propertiesTooLong(\(bytes), \(limit))"
    case .reservedFlags(let type, let flags): "reservedFlags(\(type.name), \(flags))"
    case .invalidReasonCode(let type, let code): "invalidReasonCode(\(type.name), \(code))"
    case .unknownProperty(let number, let type): "unknownProperty(\(number), \(type.name))"
    case .propertyNotAllowed(let identifier, let place): "propertyNotAllowed(\(identifier), \(place))"
    case .misdirectedProperty(let identifier, let type): "misdirectedProperty(\(identifier), \(type.name))"
    case .truncated(let type): "truncated(\(type.name))"
    case .trailingBytes(let type): "trailingBytes(\(type.name))"
    case .invalidUTF8(let type): "invalidUTF8(\(type.name))"
    case .nullCharacter(let type): "nullCharacter(\(type.name))"
    case .disallowedCharacter(let type): "disallowedCharacter(\(type.name))"
    case .integerNotMinimal(let type): "integerNotMinimal(\(type.name))"
    case .integerTooLong(let type): "integerTooLong(\(type.name))"
    case .invalidQoS(let type): "invalidQoS(\(type.name))"
    case .zeroPacketIdentifier(let type): "zeroPacketIdentifier(\(type.name))"
    case .noTopicFilter(let type): "noTopicFilter(\(type.name))"
    case .noAuthenticationMethod(let type): "noAuthenticationMethod(\(type.name))"
    case .tooManyTopicFilters(let limit): "tooManyTopicFilters(\(limit))"
    case .tooManyUserProperties(let limit): "tooManyUserProperties(\(limit))"
    case .remainingLengthTooLong: "remainingLengthTooLong"
    case .reservedPacketType(let type): "reservedPacketType(\(type))"
    case .duplicateFlagAtQoS0: "duplicateFlagAtQoS0"
    case .emptyTopicName: "emptyTopicName"
    case .wildcardInTopicName: "wildcardInTopicName"
    case .invalidTopicFilter: "invalidTopicFilter"
    case .invalidSharedFilter: "invalidSharedFilter"
    case .noLocalOnSharedSubscription: "noLocalOnSharedSubscription"
    case .reservedSubscriptionOptions(let options): "reservedSubscriptionOptions(\(options))"
    case .invalidRetainHandling: "invalidRetainHandling"
    case .wrongProtocolName: "wrongProtocolName"
    case .unsupportedProtocolLevel(let level, _): "unsupportedProtocolLevel(\(level))"
    case .reservedConnectFlag: "reservedConnectFlag"
    case .willFlagsWithoutWill: "willFlagsWithoutWill"
    case .passwordWithoutUserName: "passwordWithoutUserName"
    case .repeatedProperty(let identifier): "repeatedProperty(\(identifier))"
    case .invalidPropertyValue(let identifier): "invalidPropertyValue(\(identifier))"
    case .zeroTopicAlias: "zeroTopicAlias"
    }
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}
