/// Judges the properties of one block, one after another: whether each may stand there, once or again, with its value.
struct PropertyCheck {
    private let place: PropertyPlace
    private let sender: Sender
    private let userPropertiesMax: Int
    /// One bit for each identifier that was there.
    private var seen: UInt64 = 0
    private var userProperties = 0

    init(_ place: PropertyPlace, sender: Sender, limits: DecodingLimits) {
        self.place = place
        self.sender = sender
        userPropertiesMax = limits.userPropertiesMax
    }

    mutating func take(_ field: PropertyField, in bytes: Span<UInt8>) throws(DecodeError) {
        let identifier = field.identifier
        guard identifier.isAllowed(in: place) else { throw .propertyNotAllowed(identifier, place) }  // section 2.2.2.2
        if identifier == .userProperty {
            userProperties += 1
            if userProperties > userPropertiesMax { throw .tooManyUserProperties(limit: userPropertiesMax) }
            try checkText(field.name, in: bytes)  // [MQTT5-1.5.7-1]
            return try checkText(field.value, in: bytes)
        }
        guard identifier.isAllowed(in: place, from: sender) else { throw .misdirectedProperty(identifier, place.packetType) }
        let bit: UInt64 = 1 << UInt64(identifier.rawValue)
        let mayRepeat = identifier == .subscriptionIdentifier && place == .publish
        if seen & bit != 0 && !mayRepeat { throw .repeatedProperty(identifier) }
        seen |= bit
        try checkValue(field, in: bytes)
    }

    private func checkValue(_ field: PropertyField, in bytes: Span<UInt8>) throws(DecodeError) {
        switch field.identifier {
        case .payloadFormatIndicator, .requestProblemInformation, .requestResponseInformation, .maximumQoS, .retainAvailable,
            .wildcardSubscriptionAvailable, .subscriptionIdentifierAvailable, .sharedSubscriptionAvailable:
            if field.number > 1 { throw .invalidPropertyValue(field.identifier) }
        case .receiveMaximum, .maximumPacketSize, .subscriptionIdentifier:
            if field.number == 0 { throw .invalidPropertyValue(field.identifier) }
        case .topicAlias:
            if field.number == 0 { throw .zeroTopicAlias }  // [MQTT5-3.3.2-8]
        case .responseTopic:
            try checkText(field.value, in: bytes)  // [MQTT5-3.3.2-13]
            let topic = bytes.extracting(field.value)
            if topic.isEmpty || Topics.hasWildcard(topic) { throw .invalidPropertyValue(.responseTopic) }  // [MQTT5-3.3.2-14]
        case .contentType, .assignedClientIdentifier, .authenticationMethod, .responseInformation, .serverReference, .reasonString:
            try checkText(field.value, in: bytes)  // for content types [MQTT5-3.3.2-19]
        case .messageExpiryInterval, .sessionExpiryInterval, .willDelayInterval, .serverKeepAlive, .topicAliasMaximum, .correlationData,
            .authenticationData, .userProperty:
            break
        }
    }

    private func checkText(_ range: Range<Int>, in bytes: Span<UInt8>) throws(DecodeError) {
        try Topics.validate(text: bytes.extracting(range), in: place.packetType)
    }
}
