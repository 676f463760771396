package import NIOCore

/// The message that the broker publishes for a client that leaves without DISCONNECT.
package struct Will: Equatable, Sendable {
    package var topic: ByteBuffer
    package var payload: ByteBuffer
    package var qos: QoS
    package var retain: Bool
    /// MQTT 5 only.
    package var properties: Properties

    package init(topic: ByteBuffer, payload: ByteBuffer, qos: QoS, retain: Bool, properties: Properties = Properties()) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
        self.properties = properties
    }
}
