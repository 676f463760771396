import MQTTCodec
package import NIOCore

/// Reads what one subscriber receives: checks each message, measures its latency, and writes the acknowledgements.
///
/// Holds no channel and no clock, so that a test feeds it bytes.
package struct SubscriberStream {
    package private(set) var verifier: StreamVerifier
    private let run: UInt32
    private let payloadBytes: Int
    private let version: MQTTVersion
    private let format: MessageFormat
    /// PINGREQs that were answered; each tells that all that was queued before it has arrived.
    package private(set) var pingsAnswered = 0

    package init(
        verifier: StreamVerifier, run: UInt32, payloadBytes: Int, version: MQTTVersion = .v311, format: MessageFormat = .binary
    ) {
        self.verifier = verifier
        self.run = run
        self.payloadBytes = payloadBytes
        self.version = version
        self.format = format
    }

    /// Takes the whole packets at the front of `bytes`, and answers how many bytes they were.
    ///
    /// `now` is the monotonic clock in nanoseconds, read once for the whole batch; `output` receives PUBACK, PUBREC and PUBCOMP.
    package mutating func consume(
        _ bytes: RawSpan, now: UInt64, output: inout ByteBuffer, latencies: inout LatencyRecorder
    ) throws(WireError) -> Int {
        var offset = 0
        while let frame = try PacketFrame.next(in: bytes, at: offset) {
            switch frame.kind {
            case 3:
                try receivePublish(bytes, frame, now: now, output: &output, latencies: &latencies)
            case 6:
                let identifier = try packetIdentifier(bytes, frame)
                RawPackets.appendAcknowledgement(.publishComplete, of: identifier, to: &output)
            case 13:
                pingsAnswered += 1
            default:
                throw frame.refusal(in: bytes)
            }
            offset = frame.end
        }
        return offset
    }

    @inline(__always)
    private mutating func receivePublish(
        _ bytes: RawSpan, _ frame: PacketFrame, now: UInt64, output: inout ByteBuffer, latencies: inout LatencyRecorder
    ) throws(WireError) {
        guard frame.end - frame.bodyStart >= 2 else { throw .truncatedPacket(firstByte: frame.firstByte) }
        // In bounds here and below: the frame lies within `bytes`, and each field is compared with its end.
        let topicBytes = Int(UInt16(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: frame.bodyStart, as: UInt16.self)))
        var payload = frame.bodyStart + 2 + topicBytes
        let qosBits = frame.firstByte & 0x06
        if qosBits != 0 {
            guard frame.end - payload >= 2 else { throw .truncatedPacket(firstByte: frame.firstByte) }
            let identifier = UInt16(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: payload, as: UInt16.self))
            payload += 2
            let kind: Acknowledgement = qosBits == 0x02 ? .publishAcknowledged : .publishReceived
            RawPackets.appendAcknowledgement(kind, of: identifier, to: &output)
        }
        guard payload <= frame.end else { throw .truncatedPacket(firstByte: frame.firstByte) }
        if version == .v5 { payload = try frame.endOfProperties(in: bytes, at: payload) }
        if format == .json { return receiveStatus(bytes, frame, payload: payload, now: now, latencies: &latencies) }
        guard let stamp = MessageStamp(reading: bytes, at: payload), stamp.run == run else {
            verifier.receiveForeign()
            return
        }
        guard isIntact(bytes, payload: payload, end: frame.end, sequence: stamp.sequence) else {
            verifier.receiveCorrupt(publisher: stamp.publisher, sequence: stamp.sequence)
            return
        }
        verifier.receive(publisher: stamp.publisher, sequence: stamp.sequence, isMarkedDuplicate: frame.firstByte & 0x08 != 0)
        latencies.record(sequence: stamp.sequence, intendedAt: stamp.intendedAt, now: now)
    }

    /// What a rule made of a message in JSON.
    @inline(never)
    private mutating func receiveStatus(
        _ bytes: RawSpan, _ frame: PacketFrame, payload: Int, now: UInt64, latencies: inout LatencyRecorder
    ) {
        let fillerBytes = StatusText.fillerBytes(user: verifier.firstPublisher, payloadBytes: payloadBytes)
        guard let (stamp, isIntact) = StatusText.read(bytes, start: payload, end: frame.end, fillerBytes: fillerBytes), stamp.run == run
        else { return verifier.receiveForeign() }
        guard isIntact else { return verifier.receiveCorrupt(publisher: stamp.publisher, sequence: stamp.sequence) }
        verifier.receive(publisher: stamp.publisher, sequence: stamp.sequence, isMarkedDuplicate: frame.firstByte & 0x08 != 0)
        latencies.record(sequence: stamp.sequence, intendedAt: stamp.intendedAt, now: now)
    }

    /// Checks the length and the last byte of every payload, and the whole filler of each 64th: reading 4 KiB a message would measure us.
    @inline(__always)
    private func isIntact(_ bytes: RawSpan, payload: Int, end: Int, sequence: UInt64) -> Bool {
        guard end - payload == payloadBytes else { return false }
        guard payloadBytes > MessageStamp.byteCount else { return true }
        let first = sequence & 63 == 0 ? MessageStamp.byteCount : payloadBytes - 1
        for index in first..<payloadBytes {
            // In bounds: the payload ends where the frame does.
            let byte = unsafe bytes.unsafeLoad(fromByteOffset: payload + index, as: UInt8.self)
            guard byte == MessageStamp.filler(at: index) else { return false }
        }
        return true
    }

    private func packetIdentifier(_ bytes: RawSpan, _ frame: PacketFrame) throws(WireError) -> UInt16 {
        let bodyBytes = frame.end - frame.bodyStart
        guard bodyBytes == 2 || (version == .v5 && bodyBytes > 2) else { throw .truncatedPacket(firstByte: frame.firstByte) }
        return UInt16(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: frame.bodyStart, as: UInt16.self))
    }
}
