import DequeModule
import MQTTCodec
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
        package var delivery: Delivery
        package var packetID: UInt16
        package var stage: Stage
    }

    private var entries = Deque<Entry>()
    /// Entries that are not finished.
    package private(set) var unfinished = 0
    /// Of the messages that are still held: what the client has acknowledged, or received at QoS 2, is not.
    package private(set) var bytes = 0
    /// Of the message that is entered next.
    private(set) var nextPacketID: UInt16 = 1
    /// Messages that were ever entered; the packet identifier follows from it.
    private(set) var sequence: UInt64 = 0
    /// Entries from here up to ``resendEnd`` wait to be sent again since the client came back.
    private var resendStart = 0
    private var resendEnd = 0
    /// Unfinished ones among them, but for those that went before their turn.
    private var unsent = 0
    /// Those, by their identifiers, and before which place there are no others that could.
    ///
    /// Beside the entries, which are copied with every message.
    private var ahead: Set<UInt16> = []
    private var releaseStart = 0
    /// Messages that have their place and of which nothing has been sent; and those that were so when the client came back.
    private var new: Set<UInt16> = []
    private var newUntilNow: Set<UInt16> = []
    /// How far finished entries may pile up behind an unfinished one, in multiples of the window and at least.
    private static let spanFactor = 8
    private static let spanMin = 512
    /// As many as there are packet identifiers.
    private static let entriesMax = 65_535

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    /// Whether one more message may be sent, however large it is: never past what still is to be sent again.
    package func hasRoom(inflightMax: Int, bytesMax: Int = .max) -> Bool {
        unsent == 0 && unfinished < inflightMax && bytes < bytesMax
            && entries.count < min(max(min(inflightMax, Self.entriesMax) * Self.spanFactor, Self.spanMin), Self.entriesMax)
    }

    /// Enters a message and gives it a packet identifier that is not in use [MQTT-2.3.1-2] [MQTT-2.3.1-4] [MQTT5-2.2.1-4]
    /// [MQTT5-4.3.2-1] [MQTT5-4.3.3-1].
    package mutating func open(_ delivery: Delivery) -> UInt16 {
        let packetID = nextPacketID
        nextPacketID = packetID == .max ? 1 : packetID + 1
        sequence += 1
        // Unacknowledged from here on [MQTT5-4.3.2-3] [MQTT5-4.3.3-3].
        let stage: Stage = delivery.qos == .exactlyOnce ? .awaitingPubrec : .awaitingPuback
        entries.append(Entry(delivery: delivery, packetID: packetID, stage: stage))
        unfinished += 1
        bytes += delivery.message.size
        return packetID
    }

    /// PUBACK, whatever its reason code says [MQTT5-4.4.0-2]; an identifier that is not waiting for one changes nothing.
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
            entries[place].stage = .awaitingPubcomp  // [MQTT5-4.3.3-5] [MQTT5-4.3.3-6]
            bytes -= entries[place].release()
            return true
        case .awaitingPubcomp: return true
        case .awaitingPuback, .finished: return false
        }
    }

    /// PUBREC that refuses the message: its identifier is free again, and it is not sent again [MQTT5-4.4.0-2].
    mutating func refuse(_ packetID: UInt16) -> Bool {
        guard let place = place(of: packetID), entries[place].stage == .awaitingPubrec else { return false }
        finish(place)
        return true
    }

    /// PUBCOMP.
    package mutating func complete(_ packetID: UInt16) -> Bool {
        guard let place = place(of: packetID), entries[place].stage == .awaitingPubcomp else { return false }
        finish(place)
        return true
    }

    /// Whether an acknowledgement is none of those that the message with its identifier can have where it stands: PUBREC for QoS 1, PUBACK
    /// for QoS 2, PUBCOMP before PUBREC.
    ///
    /// Not so for an identifier that is not in use: what it belongs to may just be over.
    func isContradicted(by type: PacketType, _ packetID: UInt16) -> Bool {
        guard let place = place(of: packetID) else { return false }
        return switch entries[place].stage {
        case .awaitingPuback: type != .puback
        case .awaitingPubrec: type != .pubrec
        case .awaitingPubcomp: type == .puback
        case .finished: false
        }
    }

    // MARK: A client that comes back

    /// Everything unfinished is to be sent again, in the original order.
    package mutating func restart() {
        (resendStart, releaseStart, resendEnd) = (0, 0, entries.count)
        unsent = unfinished
        ahead = []
        newUntilNow = []
    }

    /// A message that has its place has not been sent: its first attempt is still to come.
    mutating func noteUnsent(_ packetID: UInt16) {
        if let place = place(of: packetID), entries[place].stage != .finished { new.insert(packetID) }
    }

    /// Nothing of what was sent since the client came back has left.
    mutating func noteNothingLeft() {
        for entry in entries.dropFirst(resendEnd) { noteUnsent(entry.packetID) }
        for packetID in newUntilNow { noteUnsent(packetID) }
    }

    /// Whether this is the first attempt to send a message; it is none from here on.
    mutating func takeNew(_ packetID: UInt16) -> Bool {
        guard forgetNew(packetID) else { return false }
        newUntilNow.insert(packetID)
        return true
    }

    private mutating func forgetNew(_ packetID: UInt16) -> Bool { !new.isEmpty && new.remove(packetID) != nil }

    /// The next entry that is to be sent again: a message while fewer than `inflightMax` are under way, PUBREL in any case
    /// [MQTT5-3.3.4-10].
    package mutating func nextResend(inflightMax: Int) -> Entry? {
        guard unsent > 0 else { return nil }
        if unfinished - unsent >= inflightMax { return nextRelease() }
        while resendStart < resendEnd {
            let entry = entries[resendStart]
            resendStart += 1
            if entry.stage == .finished || hasGoneAhead(entry.packetID) { continue }
            unsent -= 1
            return entry
        }
        return nil
    }

    private mutating func nextRelease() -> Entry? {
        var place = max(resendStart, releaseStart)
        defer { releaseStart = place }
        while place < resendEnd {
            let entry = entries[place]
            place += 1
            guard entry.stage == .awaitingPubcomp, ahead.insert(entry.packetID).inserted else { continue }
            unsent -= 1
            return entry
        }
        return nil
    }

    /// Whether an entry went before its turn, which has come, or is needed no more.
    private mutating func hasGoneAhead(_ packetID: UInt16) -> Bool { !ahead.isEmpty && ahead.remove(packetID) != nil }

    /// A message that cannot be sent again: the client takes no packet that large any more.
    mutating func abandon(_ packetID: UInt16) {
        if let place = place(of: packetID), entries[place].stage != .finished { finish(place) }
    }

    /// Drops entries that must not be sent again, such as those whose reader lost the right to them.
    mutating func finishAll(where shouldFinish: (Entry) -> Bool) {
        for place in entries.indices where entries[place].stage != .finished && shouldFinish(entries[place]) {
            markFinished(place)
        }
        trim()
    }

    /// Messages that the client has not said to have, and that nobody else gets instead; not those at QoS 2 that wait for PUBCOMP only.
    var unacknowledged: Int {
        entries.count { $0.stage == .awaitingPubrec || $0.stage == .awaitingPuback && $0.delivery.share == nil }
    }

    /// The messages of which the client has said nothing yet and that another one may get instead: never those at QoS 2, nor what it
    /// has answered, be it with an error [MQTT5-4.8.2-5] [MQTT5-4.8.2-6].
    func unanswered(where isWanted: (Delivery) -> Bool) -> [Delivery] {
        entries.filter { $0.stage == .awaitingPuback && isWanted($0.delivery) }.map(\.delivery)
    }

    /// The message that has a packet identifier and is not finished.
    func delivery(of packetID: UInt16) -> Delivery? {
        guard let place = place(of: packetID), entries[place].stage != .finished else { return nil }
        return entries[place].delivery
    }

    /// The message that has a packet identifier and of which the client has said nothing yet.
    func unanswered(_ packetID: UInt16) -> Delivery? {
        guard let place = place(of: packetID) else { return nil }
        return switch entries[place].stage {
        case .awaitingPuback, .awaitingPubrec: entries[place].delivery
        case .awaitingPubcomp, .finished: nil
        }
    }

    /// Takes over what the store had, in the order of sending: between two that were finished there is room for them.
    ///
    /// `least` messages were sent, at least. Answers those that cannot be entered, because they are farther apart than packet identifiers
    /// go.
    mutating func restore(_ sent: [(sequence: UInt64, delivery: Delivery, isReleased: Bool)], least: UInt64) -> [Delivery] {
        defer {
            // What came last may have been given up; what is entered now is behind the others, with an identifier that follows theirs.
            if least > sequence, entries.isEmpty { (sequence, nextPacketID) = (least, Self.packetID(least + 1)) }
            while least > sequence, entries.count < Self.entriesMax {
                sequence += 1
                entries.append(Entry(delivery: .nothing, packetID: Self.packetID(sequence), stage: .finished))
                nextPacketID = Self.packetID(sequence + 1)
            }
        }
        guard let first = sent.first else { return [] }
        sequence = first.sequence - 1
        for (place, (number, delivery, isReleased)) in sent.enumerated() {
            guard number > sequence, number - first.sequence < UInt64(Self.entriesMax) else {
                nextPacketID = Self.packetID(sequence + 1)
                return sent[place...].map(\.delivery)
            }
            while sequence + 1 < number {
                sequence += 1
                entries.append(Entry(delivery: .nothing, packetID: Self.packetID(sequence), stage: .finished))
            }
            sequence = number
            let stage: Stage = delivery.qos == .exactlyOnce ? isReleased ? .awaitingPubcomp : .awaitingPubrec : .awaitingPuback
            var entry = Entry(delivery: delivery, packetID: Self.packetID(number), stage: stage)
            if stage == .awaitingPubcomp { _ = entry.release() } else { bytes += delivery.message.size }
            entries.append(entry)
            unfinished += 1
        }
        nextPacketID = Self.packetID(sequence + 1)
        return []
    }

    private static func packetID(_ sequence: UInt64) -> UInt16 { UInt16((sequence - 1) % 65_535 + 1) }

    // MARK: Places

    private func place(of packetID: UInt16) -> Int? {
        // Identifiers run 1...65535 and wrap, 0 left out: count back in that circle from the one that comes next, without a look at an entry.
        let distance = (Int(nextPacketID) - Int(packetID) + 65_535) % 65_535
        let back = distance == 0 ? 65_535 : distance
        return back <= entries.count ? entries.count - back : nil
    }

    private mutating func finish(_ place: Int) {
        if place == 0 {
            finishFirst()
        } else {
            markFinished(place)
        }
        trim()
    }

    /// Mostly messages are acknowledged in their order: then there is no entry to be kept for its place.
    private mutating func finishFirst() {
        guard let entry = entries.popFirst() else { return }
        bytes -= entry.delivery.message.size
        unfinished -= 1
        if resendStart == 0, resendEnd > 0, !hasGoneAhead(entry.packetID) { unsent -= 1 }
        _ = forgetNew(entry.packetID)
        noteLeft()
    }

    private mutating func noteLeft() {
        if resendEnd == 0 { return }
        (resendStart, releaseStart, resendEnd) = (max(0, resendStart - 1), max(0, releaseStart - 1), resendEnd - 1)
    }

    private mutating func markFinished(_ place: Int) {
        entries[place].stage = .finished
        bytes -= entries[place].release()
        unfinished -= 1
        let packetID = entries[place].packetID
        if place >= resendStart, place < resendEnd, !hasGoneAhead(packetID) { unsent -= 1 }
        _ = forgetNew(packetID)
    }

    private mutating func trim() {
        while !entries.isEmpty, entries[0].stage == .finished {
            entries.removeFirst()
            noteLeft()
        }
    }
}

extension OutboundWindow.Entry {
    /// The message is not needed any more; its place is.
    ///
    /// Answers the bytes that it had.
    fileprivate mutating func release() -> Int {
        let bytes = delivery.message.size
        delivery.message.topic = ByteBuffer()  // with the payload in one storage, which lasts as long as either of them
        delivery.message.payload = ByteBuffer()  // not `clear()`, which makes new storage of the same size when others share this one
        delivery.message.properties = nil
        delivery.identifiers = nil
        delivery.share = nil
        return bytes
    }
}

extension Delivery {
    /// For a place in the window whose message is over.
    fileprivate static var nothing: Delivery { Delivery(message: .none, qos: .atLeastOnce) }
}
