package import NIOCore

/// The values of properties by their names: `nil` where the property is absent.
///
/// Setting a value puts it at the block's end; setting `nil` removes the property.
extension Properties {
    // MARK: Numbers

    /// Seconds that the session outlives its connection; `UInt32.max` for ever.
    package var sessionExpiryInterval: UInt32? {
        get { firstField(.sessionExpiryInterval)?.number }
        set { set(.sessionExpiryInterval, newValue.map { .fourByteInteger($0) }) }
    }

    /// Seconds between the connection's end and the will.
    package var willDelayInterval: UInt32? {
        get { firstField(.willDelayInterval)?.number }
        set { set(.willDelayInterval, newValue.map { .fourByteInteger($0) }) }
    }

    /// Seconds that the message is good for.
    package var messageExpiryInterval: UInt32? {
        get { firstField(.messageExpiryInterval)?.number }
        set { set(.messageExpiryInterval, newValue.map { .fourByteInteger($0) }) }
    }

    /// The largest packet that the sender takes; never 0.
    package var maximumPacketSize: UInt32? {
        get { firstField(.maximumPacketSize)?.number }
        set { set(.maximumPacketSize, newValue.map { .fourByteInteger($0) }) }
    }

    /// How many QoS 1 and 2 messages the sender takes before it acknowledges one; never 0.
    package var receiveMaximum: UInt16? {
        get { twoByteInteger(.receiveMaximum) }
        set { set(.receiveMaximum, newValue.map { .twoByteInteger($0) }) }
    }

    /// The highest topic alias that the sender takes.
    package var topicAliasMaximum: UInt16? {
        get { twoByteInteger(.topicAliasMaximum) }
        set { set(.topicAliasMaximum, newValue.map { .twoByteInteger($0) }) }
    }

    /// Never 0 in what was decoded.
    package var topicAlias: UInt16? {
        get { twoByteInteger(.topicAlias) }
        set { set(.topicAlias, newValue.map { .twoByteInteger($0) }) }
    }

    /// Seconds; replaces the client's keep alive.
    package var serverKeepAlive: UInt16? {
        get { twoByteInteger(.serverKeepAlive) }
        set { set(.serverKeepAlive, newValue.map { .twoByteInteger($0) }) }
    }

    // MARK: Yes or no

    package var requestResponseInformation: Bool? {
        get { flag(.requestResponseInformation) }
        set { set(.requestResponseInformation, newValue.map { .byte($0 ? 1 : 0) }) }
    }

    package var requestProblemInformation: Bool? {
        get { flag(.requestProblemInformation) }
        set { set(.requestProblemInformation, newValue.map { .byte($0 ? 1 : 0) }) }
    }

    package var retainAvailable: Bool? {
        get { flag(.retainAvailable) }
        set { set(.retainAvailable, newValue.map { .byte($0 ? 1 : 0) }) }
    }

    package var wildcardSubscriptionAvailable: Bool? {
        get { flag(.wildcardSubscriptionAvailable) }
        set { set(.wildcardSubscriptionAvailable, newValue.map { .byte($0 ? 1 : 0) }) }
    }

    package var subscriptionIdentifierAvailable: Bool? {
        get { flag(.subscriptionIdentifierAvailable) }
        set { set(.subscriptionIdentifierAvailable, newValue.map { .byte($0 ? 1 : 0) }) }
    }

    package var sharedSubscriptionAvailable: Bool? {
        get { flag(.sharedSubscriptionAvailable) }
        set { set(.sharedSubscriptionAvailable, newValue.map { .byte($0 ? 1 : 0) }) }
    }

    // MARK: Texts and bytes

    package var contentType: String? {
        get { text(.contentType) }
        set { set(.contentType, newValue.map { .text($0) }) }
    }

    package var responseTopic: String? {
        get { text(.responseTopic) }
        set { set(.responseTopic, newValue.map { .text($0) }) }
    }

    package var assignedClientIdentifier: String? {
        get { text(.assignedClientIdentifier) }
        set { set(.assignedClientIdentifier, newValue.map { .text($0) }) }
    }

    package var authenticationMethod: String? {
        get { text(.authenticationMethod) }
        set { set(.authenticationMethod, newValue.map { .text($0) }) }
    }

    package var responseInformation: String? {
        get { text(.responseInformation) }
        set { set(.responseInformation, newValue.map { .text($0) }) }
    }

    package var serverReference: String? {
        get { text(.serverReference) }
        set { set(.serverReference, newValue.map { .text($0) }) }
    }

    /// For people who look for a cause; never for programs.
    package var reasonString: String? {
        get { text(.reasonString) }
        set { set(.reasonString, newValue.map { .text($0) }) }
    }

    package var correlationData: ByteBuffer? {
        get { binary(.correlationData) }
        set { set(.correlationData, newValue.map { .binary($0) }) }
    }

    package var authenticationData: ByteBuffer? {
        get { binary(.authenticationData) }
        set { set(.authenticationData, newValue.map { .binary($0) }) }
    }

    // MARK: Others

    package var payloadFormatIndicator: PayloadFormatIndicator? {
        get { firstField(.payloadFormatIndicator).flatMap { PayloadFormatIndicator(rawValue: UInt8(truncatingIfNeeded: $0.number)) } }
        set { set(.payloadFormatIndicator, newValue.map { .byte($0.rawValue) }) }
    }

    package var maximumQoS: QoS? {
        get { firstField(.maximumQoS).flatMap { QoS(rawValue: UInt8(truncatingIfNeeded: $0.number)) } }
        set { set(.maximumQoS, newValue.map { .byte($0.rawValue) }) }
    }

    /// In their order; one at most, but in a PUBLISH from a server.
    package var subscriptionIdentifiers: [UInt32] {
        get {
            var list: [UInt32] = []
            forEachField { if $0.identifier == .subscriptionIdentifier { list.append($0.number) } }
            return list
        }
        set {
            remove(.subscriptionIdentifier)
            for number in newValue { append(Property(.subscriptionIdentifier, .variableByteInteger(number))) }
        }
    }

    package var userProperties: [UserProperty] {
        get {
            var list: [UserProperty] = []
            forEachField { if $0.identifier == .userProperty { list.append(UserProperty(text($0.name), text($0.value))) } }
            return list
        }
        set {
            remove(.userProperty)
            for property in newValue { append(Property(.userProperty, .textPair(property.name, property.value))) }
        }
    }

    // MARK: By type

    private func twoByteInteger(_ identifier: PropertyIdentifier) -> UInt16? {
        firstField(identifier).map { UInt16(truncatingIfNeeded: $0.number) }
    }

    private func flag(_ identifier: PropertyIdentifier) -> Bool? { firstField(identifier).map { $0.number != 0 } }
    private func text(_ identifier: PropertyIdentifier) -> String? { firstField(identifier).map { text($0.value) } }
    private func binary(_ identifier: PropertyIdentifier) -> ByteBuffer? { firstField(identifier).flatMap { slice($0.value) } }

    private mutating func set(_ identifier: PropertyIdentifier, _ value: PropertyValue?) {
        remove(identifier)
        if let value { append(Property(identifier, value)) }
    }
}
