import MQTTCodec
import NIOCore

extension PacketGenerator {
    /// Some properties that may stand in a block of `place`, in any order; none before MQTT 5.
    mutating func properties(_ place: PropertyPlace, _ version: ProtocolVersion, from sender: Sender = .client) -> Properties {
        var properties = Properties()
        if version != .v5 || number(0...2) == 0 { return properties }
        let allowed = PropertyIdentifier.allCases.filter { $0.isAllowed(in: place) && $0.isAllowed(in: place, from: sender) }
        for identifier in allowed.shuffled(using: &self) where number(0...2) == 0 {
            let mayRepeat = identifier == .userProperty || identifier == .subscriptionIdentifier && place == .publish
            for _ in 0..<(mayRepeat ? number(1...4) : 1) { properties.append(Property(identifier, value(of: identifier))) }
        }
        return properties
    }

    /// A value that the property may have.
    mutating func value(of identifier: PropertyIdentifier) -> PropertyValue {
        switch identifier.type {
        case .byte: .byte(UInt8(number(0...1)))
        case .twoByteInteger: .twoByteInteger(UInt16(number(1...65_535)))
        case .fourByteInteger: .fourByteInteger(UInt32(number(1...0xFFFF_FFFF)))
        case .variableByteInteger: .variableByteInteger(UInt32(number(1...(1 << number(1...28)) - 1)))
        case .text: .text(identifier == .responseTopic ? String(buffer: topicName()) : text(upTo: 8))
        case .binary: .binary(bytes(upTo: 20))
        case .textPair: .textPair(text(upTo: 5), text(upTo: 5))
        }
    }
}
