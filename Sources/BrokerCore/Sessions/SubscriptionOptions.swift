package import MQTTCodec

/// What a client wants of one subscription (MQTT 5 section 3.8.3.1; of MQTT 3.1.1 only the QoS).
package struct SubscriptionOptions: Equatable, Sendable {
    package var qos: QoS
    /// Not the subscriber's own messages [MQTT5-3.8.3-3].
    package var noLocal = false
    /// RETAIN as the publisher set it [MQTT5-3.3.1-13], instead of 0 [MQTT5-3.3.1-12].
    package var retainAsPublished = false
    /// 0 when there is none.
    package var identifier: UInt32 = 0

    /// `a/#` is not to match `a`, as on IoT Core.
    package var excludesParent = false

    /// What the client said of retained messages when it subscribed, for operators: 0, 1 or 2.
    ///
    /// `nil` for a subscription that is older than the process.
    package var retainHandling: UInt8?

    package init(qos: QoS) { self.qos = qos }

    init(_ request: Subscribe.Request, identifier: UInt32) {
        qos = request.qos
        noLocal = request.noLocal
        retainAsPublished = request.retainAsPublished
        self.identifier = identifier
        retainHandling = request.retainHandling.rawValue
    }
}
