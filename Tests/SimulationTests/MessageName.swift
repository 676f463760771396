import MQTTCodec

/// One message as the model names it: who sent it, where, and its number on that way.
struct MessageName: Hashable, CustomStringConvertible {
    /// The client, and which of its sessions, as in `c3.1`: order is promised within one.
    var publisher: String
    var topic: String
    var qos: QoS
    var number: Int

    var description: String { "\(publisher)/\(topic)/q\(qos.rawValue)#\(number)" }

    var payload: String { "\(publisher) \(qos.rawValue) \(number)" }

    var clientID: Substring { publisher.prefix { $0 != "." } }
    var isWill: Bool { topic.hasPrefix("will/") }
    /// For the shared subscriptions of the world.
    var isWork: Bool { topic.hasPrefix("w/") }

    init(publisher: String, topic: String, qos: QoS, number: Int) {
        self.publisher = publisher
        self.topic = topic
        self.qos = qos
        self.number = number
    }

    init?(topic: String, payload: String) {
        let parts = payload.split(separator: " ")
        guard parts.count >= 3, let raw = UInt8(parts[1]), let qos = QoS(rawValue: raw), let number = Int(parts[2]) else { return nil }
        self.init(publisher: String(parts[0]), topic: topic, qos: qos, number: number)
    }
}

/// A promise of the broker that did not hold.
struct BrokenPromise: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
