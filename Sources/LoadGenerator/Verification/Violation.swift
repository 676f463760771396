/// One thing that a broker did with a message and must not have done.
package struct Violation: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
        /// Sent, and never delivered.
        case lost
        /// Delivered again, without DUP or at a QoS that forbids it.
        case duplicated
        /// Delivered after a later message of the same publisher.
        case reordered
        /// A message that this run did not send to this subscriber.
        case foreign
        /// A payload that is not what was sent.
        case corrupt
        /// An acknowledgement of nothing that was waiting for one.
        case unknownAcknowledgement
    }

    package var kind: Kind
    package var publisher: Int
    /// `nil` for acknowledgements, which go to the publisher itself.
    package var subscriber: Int?
    /// The first sequence number concerned (a packet identifier for acknowledgements).
    package var sequence: UInt64
    /// How many consecutive sequence numbers are concerned.
    package var count: UInt64

    package init(_ kind: Kind, publisher: Int, subscriber: Int?, sequence: UInt64, count: UInt64 = 1) {
        self.kind = kind
        self.publisher = publisher
        self.subscriber = subscriber
        self.sequence = sequence
        self.count = count
    }

    package var description: String {
        let numbers = count > 1 ? "\(sequence) to \(sequence &+ count &- 1)" : "\(sequence)"
        guard let subscriber else { return "\(kind.rawValue): publisher \(publisher), packet identifier \(numbers)" }
        return "\(kind.rawValue): publisher \(publisher) to subscriber \(subscriber), sequence \(numbers)"
    }
}

/// What the verification of a run found, summed over its subscribers and publishers.
package struct VerificationReport: Equatable, Sendable {
    /// How many violations are kept to be named; the rest is only counted.
    package static let examplesMax = 5

    private var counts: [Violation.Kind: UInt64] = [:]
    /// The first few violations.
    package private(set) var examples: [Violation] = []
    /// QoS 1 messages that came again with DUP set: allowed, and shown.
    package private(set) var redelivered: UInt64 = 0

    package init() {}

    package var isClean: Bool { counts.isEmpty }

    package func count(of kind: Violation.Kind) -> UInt64 { counts[kind] ?? 0 }

    package mutating func record(_ violation: Violation) {
        counts[violation.kind, default: 0] += violation.count
        if examples.count < Self.examplesMax { examples.append(violation) }
    }

    package mutating func recordRedelivery() { redelivered += 1 }

    package mutating func merge(_ other: VerificationReport) {
        counts.merge(other.counts, uniquingKeysWith: +)
        redelivered += other.redelivered
        examples += other.examples.prefix(Self.examplesMax - examples.count)
    }
}
