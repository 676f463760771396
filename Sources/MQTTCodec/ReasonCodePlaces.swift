/// Which reason codes may stand in which packet (MQTT 5 table 2-6 and the table of each packet).
extension ReasonCode {
    /// Whether `sender` may send the code in a packet of this type.
    package func isAllowed(in type: PacketType, from sender: Sender) -> Bool {
        switch type {
        case .connack: sender == .server && isAllowedInConnack  // [MQTT5-3.2.2-8]
        case .puback, .pubrec: isAllowedInPuback(from: sender)  // [MQTT5-3.4.2-1] [MQTT5-3.5.2-1]
        case .pubrel, .pubcomp: self == .success || self == .packetIdentifierNotFound  // [MQTT5-3.6.2-1] [MQTT5-3.7.2-1]
        case .suback: sender == .server && isAllowedInSuback  // [MQTT5-3.9.3-2]
        case .unsuback: sender == .server && isAllowedInUnsuback  // [MQTT5-3.11.3-2]
        case .disconnect: isAllowedInDisconnect(from: sender)  // [MQTT5-3.14.2-1]
        case .auth: isAllowedInAuth(from: sender)  // [MQTT5-3.15.2-1]
        case .connect, .publish, .subscribe, .unsubscribe, .pingreq, .pingresp: false
        }
    }

    private var isAllowedInConnack: Bool {
        switch self {
        case .success, .unspecifiedError, .malformedPacket, .protocolError, .implementationSpecificError, .unsupportedProtocolVersion,
            .clientIdentifierNotValid, .badUserNameOrPassword, .notAuthorized, .serverUnavailable, .serverBusy, .banned,
            .badAuthenticationMethod, .topicNameInvalid, .packetTooLarge, .quotaExceeded, .payloadFormatInvalid, .retainNotSupported,
            .qosNotSupported, .useAnotherServer, .serverMoved, .connectionRateExceeded:
            true
        default: false
        }
    }

    private func isAllowedInPuback(from sender: Sender) -> Bool {
        switch self {
        case .success, .unspecifiedError, .implementationSpecificError, .notAuthorized, .topicNameInvalid, .packetIdentifierInUse,
            .quotaExceeded, .payloadFormatInvalid:
            true
        case .noMatchingSubscribers: sender == .server
        default: false
        }
    }

    private var isAllowedInSuback: Bool {
        switch self {
        case .success, .grantedQoS1, .grantedQoS2, .unspecifiedError, .implementationSpecificError, .notAuthorized, .topicFilterInvalid,
            .packetIdentifierInUse, .quotaExceeded, .sharedSubscriptionsNotSupported, .subscriptionIdentifiersNotSupported,
            .wildcardSubscriptionsNotSupported:
            true
        default: false
        }
    }

    private var isAllowedInUnsuback: Bool {
        switch self {
        case .success, .noSubscriptionExisted, .unspecifiedError, .implementationSpecificError, .notAuthorized, .topicFilterInvalid,
            .packetIdentifierInUse:
            true
        default: false
        }
    }

    private func isAllowedInDisconnect(from sender: Sender) -> Bool {
        switch self {
        case .success, .unspecifiedError, .malformedPacket, .protocolError, .implementationSpecificError, .topicNameInvalid,
            .receiveMaximumExceeded, .topicAliasInvalid, .packetTooLarge, .messageRateTooHigh, .quotaExceeded, .administrativeAction,
            .payloadFormatInvalid:
            true
        case .disconnectWithWillMessage: sender == .client
        case .notAuthorized, .serverBusy, .serverShuttingDown, .badAuthenticationMethod, .keepAliveTimeout, .sessionTakenOver,
            .topicFilterInvalid, .retainNotSupported, .qosNotSupported, .useAnotherServer, .serverMoved,
            .sharedSubscriptionsNotSupported, .connectionRateExceeded, .maximumConnectTime, .subscriptionIdentifiersNotSupported,
            .wildcardSubscriptionsNotSupported:
            sender == .server
        default: false
        }
    }

    private func isAllowedInAuth(from sender: Sender) -> Bool {
        switch self {
        case .success: sender == .server
        case .continueAuthentication: true
        case .reauthenticate: sender == .client
        default: false
        }
    }
}
