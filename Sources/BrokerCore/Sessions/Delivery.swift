package import MQTTCodec

/// A message on its way to one session, with all that decides how it is sent.
package struct Delivery {
    package var message: Message
    /// The lower one of the publisher's and the subscription's.
    package var qos: QoS
    /// RETAIN as this subscriber gets it.
    package var retain: Bool
    /// The subscription identifiers of all matching subscriptions of the session that have one; `nil` for none.
    var identifiers: [UInt32]?
    /// The shared subscription that chose this session: its other members get the message if the session ends before it is done.
    var share: SharedGroup?
    /// Where the store has it among what the session is to get; 0 when it has it not.
    var place: UInt64 = 0
    /// What gives it its place among the bodies that a turn gives the store: the same for all sessions that get the message.
    var body: SharedBody?

    package init(message: Message, qos: QoS, retain: Bool = false) {
        self.message = message
        self.qos = qos
        self.retain = retain
    }

    init(message: Message, qos: QoS, retain: Bool, identifiers: [UInt32]?, share: SharedGroup?) {
        self.init(message: message, qos: qos, retain: retain)
        self.identifiers = identifiers
        self.share = share
    }

    /// The same in storage of its own.
    func stored() -> Delivery {
        var copy = self
        copy.message = message.stored()
        return copy
    }
}
