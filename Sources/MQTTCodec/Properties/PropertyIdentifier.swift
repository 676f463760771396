/// The properties of MQTT 5 (table 2-4).
package enum PropertyIdentifier: UInt8, Sendable, CaseIterable {
    case payloadFormatIndicator = 0x01
    case messageExpiryInterval = 0x02
    case contentType = 0x03
    case responseTopic = 0x08
    case correlationData = 0x09
    case subscriptionIdentifier = 0x0B
    case sessionExpiryInterval = 0x11
    case assignedClientIdentifier = 0x12
    case serverKeepAlive = 0x13
    case authenticationMethod = 0x15
    case authenticationData = 0x16
    case requestProblemInformation = 0x17
    case willDelayInterval = 0x18
    case requestResponseInformation = 0x19
    case responseInformation = 0x1A
    case serverReference = 0x1C
    case reasonString = 0x1F
    case receiveMaximum = 0x21
    case topicAliasMaximum = 0x22
    case topicAlias = 0x23
    case maximumQoS = 0x24
    case retainAvailable = 0x25
    case userProperty = 0x26
    case maximumPacketSize = 0x27
    case wildcardSubscriptionAvailable = 0x28
    case subscriptionIdentifierAvailable = 0x29
    case sharedSubscriptionAvailable = 0x2A

    /// How the property's value is written.
    package var type: PropertyType {
        switch self {
        case .payloadFormatIndicator, .requestProblemInformation, .requestResponseInformation, .maximumQoS, .retainAvailable,
            .wildcardSubscriptionAvailable, .subscriptionIdentifierAvailable, .sharedSubscriptionAvailable:
            .byte
        case .serverKeepAlive, .receiveMaximum, .topicAliasMaximum, .topicAlias: .twoByteInteger
        case .messageExpiryInterval, .sessionExpiryInterval, .willDelayInterval, .maximumPacketSize: .fourByteInteger
        case .subscriptionIdentifier: .variableByteInteger
        case .contentType, .responseTopic, .assignedClientIdentifier, .authenticationMethod, .responseInformation, .serverReference,
            .reasonString:
            .text
        case .correlationData, .authenticationData: .binary
        case .userProperty: .textPair
        }
    }

    /// Whether the property may stand in a block of `place`.
    package func isAllowed(in place: PropertyPlace) -> Bool {
        switch self {
        case .payloadFormatIndicator, .messageExpiryInterval, .contentType, .responseTopic, .correlationData:
            place == .publish || place == .will
        case .subscriptionIdentifier: place == .publish || place == .subscribe
        case .topicAlias: place == .publish
        case .willDelayInterval: place == .will
        case .requestProblemInformation, .requestResponseInformation: place == .connect
        case .receiveMaximum, .topicAliasMaximum, .maximumPacketSize: place == .connect || place == .connack
        case .sessionExpiryInterval: place == .connect || place == .connack || place == .disconnect
        case .authenticationMethod, .authenticationData: place == .connect || place == .connack || place == .auth
        case .serverReference: place == .connack || place == .disconnect
        case .assignedClientIdentifier, .serverKeepAlive, .responseInformation, .maximumQoS, .retainAvailable,
            .wildcardSubscriptionAvailable, .subscriptionIdentifierAvailable, .sharedSubscriptionAvailable:
            place == .connack
        case .reasonString:
            switch place {
            case .connect, .will, .publish, .subscribe, .unsubscribe: false
            default: true
            }
        case .userProperty: true
        }
    }

    /// Whether `sender` may send the property in a block of `place` where it is allowed.
    package func isAllowed(in place: PropertyPlace, from sender: Sender) -> Bool {
        switch (self, place) {
        case (.subscriptionIdentifier, .publish): sender == .server  // [MQTT5-3.3.4-6]
        case (.sessionExpiryInterval, .disconnect): sender == .client  // [MQTT5-3.14.2-2]
        case (.serverReference, .disconnect): sender == .server
        default: true
        }
    }

    /// Whether a server passes the property on with the message, unaltered.
    ///
    /// [MQTT5-3.3.2-4] [MQTT5-3.3.2-15] [MQTT5-3.3.2-16] [MQTT5-3.3.2-17] [MQTT5-3.3.2-20]
    package var isForwarded: Bool {
        switch self {
        case .payloadFormatIndicator, .contentType, .responseTopic, .correlationData, .userProperty: true
        default: false
        }
    }

    /// The property's name as the specification writes it, in lower case.
    package var name: String {
        switch self {
        case .maximumQoS: "maximum QoS"
        default:
            "\(self)".reduce(into: "") { name, character in
                name += character.isUppercase ? " \(character.lowercased())" : String(character)
            }
        }
    }
}

/// The data types of properties (MQTT 5 section 1.5).
package enum PropertyType: Sendable, CaseIterable {
    case byte
    case twoByteInteger
    case fourByteInteger
    case variableByteInteger
    case text
    case binary
    case textPair
}

/// The property blocks: one for each packet type that has one, and that of a will.
package enum PropertyPlace: Sendable, CaseIterable {
    case connect
    case will
    case connack
    case publish
    case puback
    case pubrec
    case pubrel
    case pubcomp
    case subscribe
    case suback
    case unsubscribe
    case unsuback
    case disconnect
    case auth

    /// The type of the packet that the block is in.
    package var packetType: PacketType {
        switch self {
        case .connect, .will: .connect
        case .connack: .connack
        case .publish: .publish
        case .puback: .puback
        case .pubrec: .pubrec
        case .pubrel: .pubrel
        case .pubcomp: .pubcomp
        case .subscribe: .subscribe
        case .suback: .suback
        case .unsubscribe: .unsubscribe
        case .unsuback: .unsuback
        case .disconnect: .disconnect
        case .auth: .auth
        }
    }

    /// What the block belongs to, for people.
    package var name: String { self == .will ? "the will" : packetType.name }
}
