/// How something went (MQTT 5 table 2-6); the codes of MQTT 3.1.1 are mapped onto these.
package enum ReasonCode: UInt8, Sendable, CaseIterable {
    /// Also called normal disconnection and granted QoS 0: see ``normalDisconnection`` and ``grantedQoS0``.
    case success = 0x00
    case grantedQoS1 = 0x01
    case grantedQoS2 = 0x02
    case disconnectWithWillMessage = 0x04
    case noMatchingSubscribers = 0x10
    case noSubscriptionExisted = 0x11
    case continueAuthentication = 0x18
    case reauthenticate = 0x19
    case unspecifiedError = 0x80
    case malformedPacket = 0x81
    case protocolError = 0x82
    case implementationSpecificError = 0x83
    case unsupportedProtocolVersion = 0x84
    case clientIdentifierNotValid = 0x85
    case badUserNameOrPassword = 0x86
    case notAuthorized = 0x87
    case serverUnavailable = 0x88
    case serverBusy = 0x89
    case banned = 0x8A
    case serverShuttingDown = 0x8B
    case badAuthenticationMethod = 0x8C
    case keepAliveTimeout = 0x8D
    case sessionTakenOver = 0x8E
    case topicFilterInvalid = 0x8F
    case topicNameInvalid = 0x90
    case packetIdentifierInUse = 0x91
    case packetIdentifierNotFound = 0x92
    case receiveMaximumExceeded = 0x93
    case topicAliasInvalid = 0x94
    case packetTooLarge = 0x95
    case messageRateTooHigh = 0x96
    case quotaExceeded = 0x97
    case administrativeAction = 0x98
    case payloadFormatInvalid = 0x99
    case retainNotSupported = 0x9A
    case qosNotSupported = 0x9B
    case useAnotherServer = 0x9C
    case serverMoved = 0x9D
    case sharedSubscriptionsNotSupported = 0x9E
    case connectionRateExceeded = 0x9F
    case maximumConnectTime = 0xA0
    case subscriptionIdentifiersNotSupported = 0xA1
    case wildcardSubscriptionsNotSupported = 0xA2

    package static let normalDisconnection = ReasonCode.success
    package static let grantedQoS0 = ReasonCode.success

    /// The code that grants a subscription this QoS.
    package static func granted(_ qos: QoS) -> ReasonCode {
        switch qos {
        case .atMostOnce: .success
        case .atLeastOnce: .grantedQoS1
        case .exactlyOnce: .grantedQoS2
        }
    }

    /// The QoS that this code grants; `nil` for other codes.
    package var grantedQoS: QoS? { QoS(rawValue: rawValue) }

    /// Whether what the code answers has failed.
    package var isError: Bool { rawValue >= 0x80 }

    /// The code's name for logs and metrics: words in lower case.
    package var name: String {
        switch self {
        case .grantedQoS1: "granted QoS 1"
        case .grantedQoS2: "granted QoS 2"
        case .qosNotSupported: "QoS not supported"
        case .reauthenticate: "re-authenticate"
        default:
            "\(self)".reduce(into: "") { name, character in
                name += character.isUppercase ? " \(character.lowercased())" : String(character)
            }
        }
    }
}
