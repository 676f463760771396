import MQTTCodec
import NIOCore

/// One message as the model names it: who sent it, where, and its number on that way.
struct MessageName: Hashable, CustomStringConvertible {
    var publisher: String
    var topic: String
    var qos: QoS
    var number: Int

    var description: String { "\(publisher)/\(topic)/q\(qos.rawValue)#\(number)" }

    var payload: String { "\(publisher) \(qos.rawValue) \(number)" }

    init(publisher: String, topic: String, qos: QoS, number: Int) {
        self.publisher = publisher
        self.topic = topic
        self.qos = qos
        self.number = number
    }

    init?(topic: String, payload: String) {
        let parts = payload.split(separator: " ")
        guard parts.count == 3, let raw = UInt8(parts[1]), let qos = QoS(rawValue: raw), let number = Int(parts[2]) else { return nil }
        self.init(publisher: String(parts[0]), topic: topic, qos: qos, number: number)
    }
}

/// A promise of the broker that did not hold.
struct BrokenPromise: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// The QoS 1 messages that their publishers sent again: to the broker those are new messages, which come after what overtook them.
final class Repetitions {
    var names: Set<MessageName> = []
}

/// What one session's subscriber has got, checked as it comes: order, duplicates, and only what was asked for.
struct DeliveryLedger {
    private struct Way: Hashable {
        var publisher: String
        var topic: String
        var published: QoS
        var delivered: QoS
    }

    private var newest: [Way: Int] = [:]
    private(set) var seen: [MessageName: Int] = [:]

    /// Counts a delivery, and throws if it breaks a promise.
    ///
    /// `isRepeat`: the client recognised the packet as one it has already, by its QoS 2 identifier.
    mutating func receive(
        _ packet: Publish, filters: Set<String>, isRepeat: Bool, repetitions: Repetitions
    ) throws(BrokenPromise) {
        let topic = String(buffer: packet.topic)
        guard let name = MessageName(topic: topic, payload: String(buffer: packet.payload)) else {
            throw BrokenPromise("a payload that nobody sent: \(String(buffer: packet.payload))")
        }
        guard filters.contains(where: { Topics.matches(name: topic, filter: $0) }) else {
            throw BrokenPromise("\(name) was never subscribed to")
        }
        if packet.qos > name.qos { throw BrokenPromise("\(name) came at QoS \(packet.qos.rawValue)") }
        if packet.retain || isRepeat { return }
        let way = Way(publisher: name.publisher, topic: topic, published: name.qos, delivered: packet.qos)
        let count = seen[name, default: 0]
        if count > 0 {
            if name.qos == .exactlyOnce && packet.qos == .exactlyOnce { throw BrokenPromise("\(name) came twice at QoS 2") }
            if name.qos == .atMostOnce { throw BrokenPromise("\(name) came twice at QoS 0") }
            let isSentAgain = name.qos == .atLeastOnce && repetitions.names.contains(name)
            if !packet.duplicate && !isSentAgain { throw BrokenPromise("\(name) came twice without DUP") }
        } else if let newest = newest[way], name.number < newest, !repetitions.names.contains(name) {
            throw BrokenPromise("\(name) came after #\(newest)")
        }
        newest[way] = max(newest[way] ?? 0, name.number)
        seen[name] = count + 1
    }
}
