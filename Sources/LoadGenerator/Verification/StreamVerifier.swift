package import MQTTCodec

/// Checks what one subscriber receives: every message of every publisher, once, in the publisher's order.
///
/// The fast path is one comparison with the next expected sequence number. Whatever differs goes to the slow path, which remembers holes
/// so that a late message is told from a repeated one.
package struct StreamVerifier: Sendable {
    /// How many holes are remembered per subscriber.
    ///
    /// Past it a hole counts as lost at once, and what would have filled it as duplicated.
    package static let gapsMax = 10_000

    /// How far ahead of the next expected message one may be.
    ///
    /// A number further off is not this run's, and counts as foreign.
    package static let leapMax: UInt64 = 1 << 32

    private let subscriber: Int
    let firstPublisher: Int
    private let qos: QoS
    /// The next expected sequence number, by publisher.
    private var next: [UInt64]
    private var gaps: [Gap] = []
    /// Distinct messages that arrived, in whatever order.
    package private(set) var delivered: UInt64 = 0
    package private(set) var report = VerificationReport()

    private struct Gap: Sendable {
        var slot: Int
        var range: Range<UInt64>
    }

    /// Expects the messages of `publishers`, from the first one on.
    package init(subscriber: Int, publishers: Range<Int>, qos: QoS) {
        self.subscriber = subscriber
        self.firstPublisher = publishers.lowerBound
        self.qos = qos
        next = Array(repeating: 0, count: publishers.count)
    }

    /// The number of messages of the publisher at `slot` that are behind its newest one, holes included.
    @inline(__always)
    package func reached(slot: Int) -> UInt64 { next[slot] }

    /// Takes one delivery.
    @inline(__always)
    package mutating func receive(publisher: UInt32, sequence: UInt64, isMarkedDuplicate: Bool) {
        let slot = Int(publisher) &- firstPublisher
        guard slot >= 0, slot < next.count else {
            report.record(Violation(.foreign, publisher: Int(publisher), subscriber: subscriber, sequence: sequence))
            return
        }
        if next[slot] == sequence {
            next[slot] = sequence &+ 1
            delivered &+= 1
        } else {
            receiveOutOfOrder(slot: slot, sequence: sequence, isMarkedDuplicate: isMarkedDuplicate)
        }
    }

    /// Notes a payload that is not what the publisher sent.
    mutating func receiveCorrupt(publisher: UInt32, sequence: UInt64) {
        report.record(Violation(.corrupt, publisher: Int(publisher), subscriber: subscriber, sequence: sequence))
    }

    /// Notes a message that does not carry this run's stamp.
    mutating func receiveForeign() {
        report.record(Violation(.foreign, publisher: firstPublisher, subscriber: subscriber, sequence: 0))
    }

    @inline(never)
    private mutating func receiveOutOfOrder(slot: Int, sequence: UInt64, isMarkedDuplicate: Bool) {
        let publisher = firstPublisher + slot
        let expected = next[slot]
        if sequence > expected {
            guard sequence - expected <= Self.leapMax else {
                report.record(Violation(.foreign, publisher: publisher, subscriber: subscriber, sequence: sequence))
                return
            }
            delivered &+= 1
            if gaps.count < Self.gapsMax {
                gaps.append(Gap(slot: slot, range: expected..<sequence))
            } else {
                report.record(
                    Violation(.lost, publisher: publisher, subscriber: subscriber, sequence: expected, count: sequence - expected))
            }
            next[slot] = sequence &+ 1
        } else if fillGap(slot: slot, sequence: sequence) {
            delivered &+= 1
            report.record(Violation(.reordered, publisher: publisher, subscriber: subscriber, sequence: sequence))
        } else if isMarkedDuplicate, qos == .atLeastOnce {
            report.recordRedelivery()
        } else {
            report.record(Violation(.duplicated, publisher: publisher, subscriber: subscriber, sequence: sequence))
        }
    }

    private mutating func fillGap(slot: Int, sequence: UInt64) -> Bool {
        guard let index = gaps.firstIndex(where: { $0.slot == slot && $0.range.contains(sequence) }) else { return false }
        let range = gaps.remove(at: index).range
        for part in [range.lowerBound..<sequence, (sequence + 1)..<range.upperBound] where !part.isEmpty {
            gaps.append(Gap(slot: slot, range: part))
        }
        return true
    }

    /// Compares with how many messages each publisher `sent`, and answers everything that went wrong.
    package func finish(sent: (_ publisher: Int) -> UInt64) -> VerificationReport {
        var report = report
        for gap in gaps.sorted(by: { ($0.slot, $0.range.lowerBound) < ($1.slot, $1.range.lowerBound) }) {
            let lost = Violation(
                .lost, publisher: firstPublisher + gap.slot, subscriber: subscriber, sequence: gap.range.lowerBound,
                count: gap.range.upperBound - gap.range.lowerBound)
            report.record(lost)
        }
        for slot in next.indices {
            let publisher = firstPublisher + slot
            let total = sent(publisher)
            if next[slot] < total {
                report.record(
                    Violation(.lost, publisher: publisher, subscriber: subscriber, sequence: next[slot], count: total - next[slot]))
            } else if next[slot] > total {
                report.record(
                    Violation(.foreign, publisher: publisher, subscriber: subscriber, sequence: total, count: next[slot] - total))
            }
        }
        return report
    }
}
