import MQTTCodec
import NIOCore
import Testing

/// Every property in every block (MQTT 5 table 2-4), once, twice and cut off.
@Suite struct PropertyMatrixTests {
    /// Table 2-4 as it is printed: the places of each property.
    private static let table: [PropertyIdentifier: (PropertyType, [PropertyPlace])] = {
        let message: [PropertyPlace] = [.publish, .will]
        return [
            .payloadFormatIndicator: (.byte, message), .messageExpiryInterval: (.fourByteInteger, message),
            .contentType: (.text, message), .responseTopic: (.text, message), .correlationData: (.binary, message),
            .subscriptionIdentifier: (.variableByteInteger, [.publish, .subscribe]),
            .sessionExpiryInterval: (.fourByteInteger, [.connect, .connack, .disconnect]),
            .assignedClientIdentifier: (.text, [.connack]), .serverKeepAlive: (.twoByteInteger, [.connack]),
            .authenticationMethod: (.text, [.connect, .connack, .auth]), .authenticationData: (.binary, [.connect, .connack, .auth]),
            .requestProblemInformation: (.byte, [.connect]), .willDelayInterval: (.fourByteInteger, [.will]),
            .requestResponseInformation: (.byte, [.connect]), .responseInformation: (.text, [.connack]),
            .serverReference: (.text, [.connack, .disconnect]),
            .reasonString: (
                .text, [.connack, .puback, .pubrec, .pubrel, .pubcomp, .suback, .unsuback, .disconnect, .auth]
            ),
            .receiveMaximum: (.twoByteInteger, [.connect, .connack]), .topicAliasMaximum: (.twoByteInteger, [.connect, .connack]),
            .topicAlias: (.twoByteInteger, [.publish]), .maximumQoS: (.byte, [.connack]), .retainAvailable: (.byte, [.connack]),
            .userProperty: (.textPair, PropertyPlace.allCases), .maximumPacketSize: (.fourByteInteger, [.connect, .connack]),
            .wildcardSubscriptionAvailable: (.byte, [.connack]), .subscriptionIdentifierAvailable: (.byte, [.connack]),
            .sharedSubscriptionAvailable: (.byte, [.connack]),
        ]
    }()

    /// A packet, and who sends it, that has this block in `place`.
    private func packet(with block: [UInt8], in place: PropertyPlace) -> (bytes: [UInt8], sender: Sender) {
        let properties = [UInt8(block.count)] + block
        let (first, body, sender): (UInt8, [UInt8], Sender) =
            switch place {
            case .connect: (0x10, [0, 4, 0x4D, 0x51, 0x54, 0x54, 5, 2, 0, 0] + properties + [0, 0], .client)
            case .will: (0x10, [0, 4, 0x4D, 0x51, 0x54, 0x54, 5, 6, 0, 0, 0, 0, 0] + properties + [0, 1, 0x77, 0, 0], .client)
            case .connack: (0x20, [0, 0] + properties, .server)
            case .publish: (0x30, [0, 1, 0x61] + properties, .server)
            case .puback: (0x40, [0, 1, 0] + properties, .client)
            case .pubrec: (0x50, [0, 1, 0] + properties, .client)
            case .pubrel: (0x62, [0, 1, 0] + properties, .client)
            case .pubcomp: (0x70, [0, 1, 0] + properties, .client)
            case .subscribe: (0x82, [0, 1] + properties + [0, 1, 0x61, 0], .client)
            case .suback: (0x90, [0, 1] + properties + [0], .server)
            case .unsubscribe: (0xA2, [0, 1] + properties + [0, 1, 0x61], .client)
            case .unsuback: (0xB0, [0, 1] + properties + [0], .server)
            case .disconnect: (0xE0, [0] + properties, block.first == 0x11 ? .client : .server)
            case .auth: (0xF0, [0x18] + properties, .client)
            }
        return ([first, UInt8(body.count)] + body, sender)
    }

    private func properties(of packet: Packet, in place: PropertyPlace) -> Properties? {
        switch packet {
        case .connect(let packet): place == .will ? packet.will?.properties : packet.properties
        case .connack(let packet): packet.properties
        case .publish(let packet): packet.properties
        case .puback(let packet), .pubrec(let packet), .pubrel(let packet), .pubcomp(let packet): packet.properties
        case .subscribe(let packet): packet.properties
        case .suback(let packet): packet.properties
        case .unsubscribe(let packet): packet.properties
        case .unsuback(let packet): packet.properties
        case .disconnect(let packet): packet.properties
        case .auth(let packet): packet.properties
        case .pingreq, .pingresp: nil
        }
    }

    private func value(of identifier: PropertyIdentifier) -> PropertyValue {
        switch identifier.type {
        case .byte: .byte(1)
        case .twoByteInteger: .twoByteInteger(0x0102)
        case .fourByteInteger: .fourByteInteger(0x0102_0304)
        case .variableByteInteger: .variableByteInteger(200)
        case .text: .text("t")
        case .binary: .binary(ByteBuffer(bytes: [0, 0xFF]))
        case .textPair: .textPair("k", "v")
        }
    }

    @Test func theTableIsTheSpecifications() {
        #expect(PropertyIdentifier.allCases.count == 27 && Self.table.count == 27)
        for identifier in PropertyIdentifier.allCases {
            #expect(identifier.type == Self.table[identifier]?.0, "\(identifier)")
            let places = PropertyPlace.allCases.filter { identifier.isAllowed(in: $0) }
            #expect(Set(places) == Set(Self.table[identifier]?.1 ?? []), "\(identifier)")
        }
    }

    /// 27 properties in 14 blocks, as bytes on the wire.
    @Test(arguments: PropertyPlace.allCases)
    func everyPropertyInEveryBlock(place: PropertyPlace) throws {
        for identifier in PropertyIdentifier.allCases {
            let property = Property(identifier, value(of: identifier))
            var extra: [Property] = []
            if place == .auth, identifier != .authenticationMethod { extra = [Property(.authenticationMethod, .text("m"))] }
            if place == .connect, identifier == .authenticationData { extra = [Property(.authenticationMethod, .text("m"))] }
            let expected = Properties([property] + extra)
            let (bytes, sender) = packet(with: Array(expected.encoded.readableBytesView), in: place)
            let result = ReadResult(bytes, Reading(version: .v5, sender: sender))
            if identifier.isAllowed(in: place) {
                guard case .packet(let packet) = result else {
                    Issue.record("\(identifier) in \(place): \(result)")
                    continue
                }
                #expect(properties(of: packet, in: place)?.all == [property] + extra, "\(identifier) in \(place)")
                #expect(properties(of: packet, in: place) == expected, "\(identifier) in \(place)")
            } else {
                #expect(result == .failure(.propertyNotAllowed(identifier, place)), "\(identifier) in \(place)")
            }
        }
    }

    @Test(arguments: PropertyPlace.allCases)
    func everyPropertyTwice(place: PropertyPlace) throws {
        for identifier in PropertyIdentifier.allCases where identifier.isAllowed(in: place) {
            let property = Property(identifier, value(of: identifier))
            var list = [property, property]
            if place == .auth || place == .connect, identifier != .authenticationMethod {
                list.insert(Property(.authenticationMethod, .text("m")), at: 1)
            }
            let (bytes, sender) = packet(with: Array(Properties(list).encoded.readableBytesView), in: place)
            let result = ReadResult(bytes, Reading(version: .v5, sender: sender))
            if identifier == .userProperty || (identifier == .subscriptionIdentifier && place == .publish) {
                guard case .packet(let packet) = result else {
                    Issue.record("\(identifier) in \(place): \(result)")
                    continue
                }
                #expect(properties(of: packet, in: place)?.all == list, "\(identifier) in \(place)")
            } else {
                #expect(result == .failure(.repeatedProperty(identifier)), "\(identifier) in \(place)")
            }
        }
    }

    /// A block that ends anywhere inside a property: the packet is cut off, and nothing behind the block is taken for its rest.
    @Test(arguments: PropertyPlace.allCases)
    func everyPropertyCutOff(place: PropertyPlace) throws {
        for identifier in PropertyIdentifier.allCases where identifier.isAllowed(in: place) {
            let whole = Array(Properties([Property(identifier, value(of: identifier))]).encoded.readableBytesView)
            for count in 1..<whole.count {
                let (bytes, sender) = packet(with: Array(whole[..<count]), in: place)
                let result = ReadResult(bytes, Reading(version: .v5, sender: sender))
                #expect(result == .failure(.truncated(place.packetType)), "\(count) bytes of \(identifier) in \(place)")
            }
        }
    }

    /// Every one-byte identifier that is no property.
    @Test(arguments: PropertyPlace.allCases)
    func everyOtherIdentifier(place: PropertyPlace) {
        for number in UInt8.min...UInt8.max where PropertyIdentifier(rawValue: number) == nil {
            let (bytes, sender) = packet(with: [number, 0, 0, 0, 0], in: place)
            #expect(ReadResult(bytes, Reading(version: .v5, sender: sender)) == .failure(.unknownProperty(number, place.packetType)))
        }
    }
}
