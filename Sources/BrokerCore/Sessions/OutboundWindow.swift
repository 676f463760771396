import DequeModule
package import MQTTCodec
import NIOCore

/// The QoS 1 and QoS 2 messages that were sent to one client and are not finished, in the order of sending.
///
/// Packet identifiers are given in sequence and entries leave only at the front, so an identifier's place is a subtraction: no dictionary.
/// An acknowledgement that comes early marks its entry finished and waits for those before it.
package struct OutboundWindow {
    package enum Stage: Equatable {
        case awaitingPuback
        case awaitingPubrec
        case awaitingPubcomp
        case finished
    }

    package struct Entry {
        package var message: Message
        package var qos: QoS
        package var packetID: UInt16
        package var stage: Stage
        package var isRetainedCopy: Bool
    }

    private var entries = Deque<Entry>()
    /// Entries that are not finished.
    package private(set) var unfinished = 0
    private var nextPacketID: UInt16 = 1
    /// How far finished entries may pile up behind an unfinished one, in multiples of the window.
    private static let spanFactor = 8
    /// As many as there are packet identifiers.
    private static let entriesMax = 65_535

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    /// Whether one more message may be sent.
    package func hasRoom(inflightMax: Int) -> Bool {
        unfinished < inflightMax && entries.count < min(min(inflightMax, Self.entriesMax) * Self.spanFactor, Self.entriesMax)
    }

    /// Enters a message and gives it a packet identifier that is not in use [MQTT-2.3.1-2] [MQTT-2.3.1-4].
    package mutating func open(_ message: Message, qos: QoS, isRetainedCopy: Bool) -> UInt16 {
        let packetID = nextPacketID
        nextPacketID = packetID == .max ? 1 : packetID + 1
        let stage: Stage = qos == .exactlyOnce ? .awaitingPubrec : .awaitingPuback
        entries.append(Entry(message: message, qos: qos, packetID: packetID, stage: stage, isRetainedCopy: isRetainedCopy))
        unfinished += 1
        return packetID
    }

    /// PUBACK; an identifier that is not waiting for one is ignored.
    package mutating func acknowledge(_ packetID: UInt16) -> Bool {
        guard let place = place(of: packetID), entries[place].stage == .awaitingPuback else { return false }
        finish(place)
        return true
    }

    /// PUBREC: the message has arrived and need not be kept; only its identifier is, until PUBCOMP [MQTT-4.3.3-1].
    ///
    /// Answers whether PUBREL is to be sent: also for a PUBREC that comes twice.
    package mutating func received(_ packetID: UInt16) -> Bool {
        guard let place = place(of: packetID) else { return false }
        switch entries[place].stage {
        case .awaitingPubrec:
            entries[place].stage = .awaitingPubcomp
            entries[place].message.payload.clear()
            return true
        case .awaitingPubcomp: return true
        case .awaitingPuback, .finished: return false
        }
    }

    /// PUBCOMP.
    package mutating func complete(_ packetID: UInt16) -> Bool {
        guard let place = place(of: packetID), entries[place].stage == .awaitingPubcomp else { return false }
        finish(place)
        return true
    }

    /// Everything unfinished, in the original order: what a client that comes back is sent again.
    package func forEachUnfinished(_ body: (Entry) -> Void) {
        for entry in entries where entry.stage != .finished { body(entry) }
    }

    /// Drops entries that must not be sent again, such as those whose reader lost the right to them.
    mutating func finishAll(where shouldFinish: (Entry) -> Bool) {
        for place in entries.indices where entries[place].stage != .finished && shouldFinish(entries[place]) {
            entries[place].stage = .finished
            entries[place].message.payload.clear()
            unfinished -= 1
        }
        trim()
    }

    private func place(of packetID: UInt16) -> Int? {
        guard let first = entries.first else { return nil }
        // Identifiers run 1...65535 and wrap, 0 left out: count in that circle.
        let distance = (Int(packetID) - Int(first.packetID) + 65_535) % 65_535
        return distance < entries.count ? distance : nil
    }

    private mutating func finish(_ place: Int) {
        entries[place].stage = .finished
        entries[place].message.payload.clear()
        unfinished -= 1
        trim()
    }

    private mutating func trim() {
        while let first = entries.first, first.stage == .finished { entries.removeFirst() }
    }
}
