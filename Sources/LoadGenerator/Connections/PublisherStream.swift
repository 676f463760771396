import MQTTCodec
package import NIOCore

/// One publisher without its channel: what it sends, and what the broker answers.
package struct PublisherStream {
    package let publisher: Int
    private let template: PublishTemplate
    private let version: MQTTVersion
    package var flow: PublisherFlow
    private var acknowledged = AcknowledgementWindow()
    /// PUBRECs, which at QoS 2 come before the PUBCOMP that counts.
    private var received = AcknowledgementWindow()
    package private(set) var report = VerificationReport()
    /// When the messages that wait for their acknowledgement left, or should have; `nil` when nobody asks.
    private var departures: DepartureTimes?

    package init(
        publisher: Int, template: PublishTemplate, flow: PublisherFlow, version: MQTTVersion = .v311,
        timesAcknowledgements: Bool = false
    ) {
        self.publisher = publisher
        self.template = template
        self.flow = flow
        self.version = version
        departures = timesAcknowledgements ? DepartureTimes() : nil
    }

    /// Records how long each message waited for its acknowledgement that has come since the last call.
    package mutating func recordAcknowledgements(now: UInt64, into latencies: inout LatencyRecorder) {
        departures?.settle(upTo: acknowledged.completed, now: now, into: &latencies)
    }

    /// Messages that the broker has acknowledged in full, with all before them; stays 0 at QoS 0.
    package var acknowledgedCount: UInt64 { acknowledged.completed }

    /// Takes the whole packets at the front of `bytes`, and answers how many bytes they were.
    package mutating func consume(_ bytes: RawSpan, output: inout ByteBuffer) throws(WireError) -> Int {
        var offset = 0
        while let frame = try PacketFrame.next(in: bytes, at: offset) {
            let bodyBytes = frame.end - frame.bodyStart
            guard bodyBytes == 2 || (version == .v5 && bodyBytes > 2 && (4...7).contains(frame.kind)) else {
                throw frame.refusal(in: bytes)
            }
            if bodyBytes > 2 {
                // In bounds here and below: the body has more than two bytes.
                let reasonCode = unsafe bytes.unsafeLoad(fromByteOffset: frame.bodyStart + 2, as: UInt8.self)
                guard reasonCode < 0x80 else { throw .refusedPublish(reasonCode: reasonCode) }
            }
            let identifier = UInt16(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: frame.bodyStart, as: UInt16.self))
            let isKnown: Bool
            switch frame.kind {
            case 4:
                isKnown = acknowledged.receive(packetIdentifier: identifier, sent: flow.sent)
            case 5:
                isKnown = received.receive(packetIdentifier: identifier, sent: flow.sent)
                if isKnown { RawPackets.appendAcknowledgement(.publishRelease, of: identifier, to: &output) }
            case 7:
                isKnown = acknowledged.receive(packetIdentifier: identifier, sent: received.completed)
            default:
                throw frame.refusal(in: bytes)
            }
            if !isKnown {
                report.record(
                    Violation(.unknownAcknowledgement, publisher: publisher, subscriber: nil, sequence: UInt64(identifier)))
            }
            offset = frame.end
        }
        flow.didAcknowledge(acknowledged.completed)
        return offset
    }

    /// Appends what may be sent now, and answers how many messages that was.
    ///
    /// `schedule` is the open loop's plan; without one, in a closed loop, messages are meant to leave now.
    package mutating func fill(_ output: inout ByteBuffer, now: UInt64, schedule: OpenLoopSchedule?) -> Int {
        let count = flow.sendable
        guard count > 0 else { return 0 }
        let first = flow.sent
        if let schedule {
            let intendedAt = schedule.intendedAt(publisher: publisher, message: first - flow.phaseBase)
            template.append(count, from: first, intendedAt: intendedAt, interval: schedule.intervalPerPublisher, to: &output)
            departures?.note(count, at: intendedAt, interval: schedule.intervalPerPublisher)
        } else {
            template.append(count, from: first, intendedAt: now, interval: 0, to: &output)
            departures?.note(count, at: now, interval: 0)
        }
        flow.didSend(count)
        return count
    }
}
