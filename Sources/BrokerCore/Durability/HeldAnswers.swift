import DequeModule
import MQTTCodec

/// An answer that waits for the disk.
enum HeldAnswer {
    /// Those behind it have something more to wait for.
    case nothing
    case acknowledgement(PacketType, UInt16, ReasonCode)
    indirect case packet(Packet)
    /// SUBACK, with the retained messages that follow it.
    indirect case suback(PendingSubscription)
    /// A QoS 2 message: once sent, its packet identifier must be known after a crash [MQTT-4.3.3-1]. Or one at QoS 1 behind such.
    case publish(UInt16, duplicate: Bool)

    fileprivate var isMessage: Bool { if case .publish = self { true } else { false } }
}

/// What one connection is not sent yet, oldest first, so that answers leave in the order of what they answer [MQTT-4.6.0-2] [MQTT-4.6.0-3]
/// [MQTT-4.6.0-4] [MQTT5-4.6.0-2] [MQTT5-4.6.0-3] [MQTT5-4.6.0-4].
struct HeldAnswers {
    private var answers = Deque<(need: CommitNeed, answer: HeldAnswer)>()
    /// Until then nothing is sent at all: CONNACK comes first.
    var gate: CommitNeed?
    /// Whether the connection is among those that are looked at when something is on disk.
    var isListed = false

    /// How many of them are messages.
    private(set) var messages = 0

    var isEmpty: Bool { answers.isEmpty }
    var count: Int { answers.count }

    mutating func append(_ answer: HeldAnswer, until need: CommitNeed) {
        answers.append((need, answer))
        if answer.isMessage { messages += 1 }
    }

    /// The oldest, if it may leave.
    mutating func popFirst(where isMet: (CommitNeed) -> Bool) -> HeldAnswer? {
        guard let first = answers.first, isMet(first.need) else { return nil }
        answers.removeFirst()
        if first.answer.isMessage { messages -= 1 }
        return first.answer
    }

    /// Everything, for a connection that has ended.
    mutating func takeAll() -> [HeldAnswer] {
        let all = answers.map(\.answer)
        answers.removeAll()
        messages = 0
        gate = nil
        return all
    }
}
