import MQTTCodec

/// Which broker a listener behaves as, where the standard and AWS IoT Core differ.
package enum Dialect: String, Sendable, CaseIterable {
    case standard
    /// As IoT Core: its limits, no QoS 2, its own topics reserved, its ways with wildcards and retained messages.
    ///
    /// What its documentation says is in "MQTT" and "AWS IoT Core endpoints and quotas" of the developer guide.
    case aws
}

extension BrokerLimits {
    /// The limits of a dialect: IoT Core's quotas, or the broker's own where those are lower.
    func adapted(to dialect: Dialect) -> BrokerLimits {
        guard dialect == .aws else { return self }
        var limits = self
        limits.packetBytesMax = min(packetBytesMax, AWSQuotas.payloadBytes + AWSQuotas.headerBytes)
        limits.topicBytesMax = min(topicBytesMax, AWSQuotas.topicBytes)
        limits.topicLevelsMax = min(topicLevelsMax, AWSQuotas.topicLevels)
        limits.clientIDBytesMax = min(clientIDBytesMax, AWSQuotas.clientIDBytes)
        limits.filtersPerPacketMax = min(filtersPerPacketMax, AWSQuotas.filtersPerSubscribe)
        limits.subscriptionsPerClientMax = min(subscriptionsPerClientMax, AWSQuotas.subscriptions)
        limits.inflightMax = AWSQuotas.inflight
        limits.receiveMaximum = AWSQuotas.inflight
        limits.topicAliasesMax = min(topicAliasesMax, AWSQuotas.topicAliases)
        limits.outboundTopicAliasesMax = min(outboundTopicAliasesMax, AWSQuotas.topicAliases)
        limits.keepAliveSecondsMax = min(keepAliveSecondsMax, AWSQuotas.keepAliveSeconds.upperBound)
        limits.sessionExpirySecondsMax = min(sessionExpirySecondsMax, AWSQuotas.sessionSeconds)
        limits.publishesPerSecondMax = min(publishesPerSecondMax, AWSQuotas.publishesPerSecond)
        limits.publishBytesPerSecondMax = min(publishBytesPerSecondMax, AWSQuotas.bytesPerSecond)
        return limits
    }
}

/// IoT Core's quotas of one connection.
enum AWSQuotas {
    static let payloadBytes = 131_072
    /// Topic, properties and fixed header beside the payload.
    static let headerBytes = 4_096
    static let topicBytes = 256
    /// Seven slashes.
    static let topicLevels = 8
    static let clientIDBytes = 128
    static let filtersPerSubscribe = 8
    static let subscriptions = 50
    static let inflight = 100
    static let topicAliases = 8
    static let keepAliveSeconds = 30...1_200
    /// A client of MQTT 5 may ask for up to seven days.
    static let sessionSeconds = 604_800
    /// What a client of MQTT 3.1.1 gets.
    static let sessionSecondsUnasked = 3_600
    static let publishesPerSecond = 100
    static let bytesPerSecond = 524_288
}

/// The limits that hold for a connection; one object for all connections of a dialect.
final class ConnectionLimits {
    let values: BrokerLimits
    let decoding: DecodingLimits
    let paces: Bool

    init(_ values: BrokerLimits) {
        var values = values
        values.packetBytesMax = min(values.packetBytesMax, BrokerLimits.packetBytesAlwaysMax)
        self.values = values
        decoding = DecodingLimits(
            filtersMax: values.filtersPerPacketMax, userPropertiesMax: values.userPropertiesMax, propertyBytesMax: values.propertyBytesMax)
        paces = values.publishesPerSecondMax != .max || values.publishBytesPerSecondMax != .max
    }
}
