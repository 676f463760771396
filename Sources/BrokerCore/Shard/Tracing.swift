import MQTTCodec
import NIOCore

/// Somebody who wants to see what happens between the broker and one client.
struct ClientTrace {
    let id: UInt64
    let clientID: ExactText
    let endsAt: Instant
    let linesPerSecond: Int
    private var secondEndsAt = Instant(nanoseconds: .min)
    private var linesLeft = 0
    private var skipped: UInt64 = 0

    init(id: UInt64, clientID: ExactText, endsAt: Instant, linesPerSecond: Int) {
        self.id = id
        self.clientID = clientID
        self.endsAt = endsAt
        self.linesPerSecond = linesPerSecond
    }

    /// Whether there is room for a line: answers how many were left out before it, or `nil` and leaves this one out.
    mutating func admit(at now: Instant) -> UInt64? {
        if now >= secondEndsAt {
            secondEndsAt = now.advanced(bySeconds: 1)
            linesLeft = linesPerSecond
        }
        guard linesLeft > 0 else {
            skipped &+= 1
            return nil
        }
        linesLeft -= 1
        defer { skipped = 0 }
        return skipped
    }
}

/// Traces: what one client sends and gets, and what is decided about it.
///
/// Connections and sessions of clients that are traced have a mark, so that all others cost one look at it. What a trace has no room for is
/// counted and not made.
extension Shard {
    typealias Detail = TracedStep.Detail

    /// Begins a trace, which makes nothing any more from `endsAt` on; the client may be here, elsewhere, or not there yet.
    package func addTrace(id: UInt64, of clientID: String, endsAt: Instant, linesPerSecond: Int, now: Instant) {
        self.now = now
        traces.append(ClientTrace(id: id, clientID: ExactText(clientID), endsAt: endsAt, linesPerSecond: linesPerSecond))
        if let session = sessions[ExactText(clientID)] { markTraced(session) }
    }

    package func removeTrace(id: UInt64) {
        guard let place = traces.firstIndex(where: { $0.id == id }) else { return }
        let clientID = traces.remove(at: place).clientID
        if let session = sessions[clientID] { markTraced(session) }
    }

    /// How many traces there are.
    package var traceCount: Int { traces.count }

    /// A session came, or its connection, or a trace came or went.
    func markTraced(_ session: Session) {
        let clientID = ExactText(session.clientID)
        session.isTraced = traces.contains { $0.clientID == clientID }
        session.connection?.isTraced = session.isTraced
    }

    // MARK: Steps

    func traceDecision(_ name: String, of clientID: String, _ detail: @autoclosure () -> [Detail]) {
        trace(.decision, name, of: clientID, detail)
    }

    func traceDrop(_ reason: ShardCounters.Drop, of session: Session, _ count: Int) {
        traceDecision("message dropped", of: session.clientID, [.text("reason", reason.rawValue), .number("count", count)])
    }

    /// A CONNECT, before it is known whether it is the client's.
    func traceConnect(_ connect: Connect, bytes: Int, on connection: ClientConnection) {
        trace(.received, PacketType.connect.name, of: connect.clientID) {
            [.text("peer", connection.info.peer), .text("listener", connection.info.listener)]
                + PacketDetail.of(.connect(connect), bytes: bytes)
        }
    }

    /// A packet of a client that is let in, whole.
    func traceReceived(_ buffer: ByteBuffer, header: FixedHeader, on connection: ClientConnection) {
        guard let session = connection.session,
            let packet = buffer.getSlice(at: buffer.readerIndex, length: header.packetLength)
        else { return }
        trace(.received, header.type.name, of: session.clientID) {
            Self.detail(of: packet, header: header, version: connection.version, sender: .client)
        }
    }

    /// Whole packets on their way to a client.
    func traceSent(_ bytes: ByteBuffer, on connection: ClientConnection) {
        guard let session = connection.session else { return }
        var rest = bytes
        while let header = try? FixedHeader(
            reading: rest.readableBytesUInt8Span, at: 0, packetBytesMax: BrokerLimits.packetBytesAlwaysMax, version: connection.version),
            let packet = rest.readSlice(length: header.packetLength)
        {
            trace(.sent, header.type.name, of: session.clientID) {
                Self.detail(of: packet, header: header, version: connection.version, sender: .server)
            }
        }
    }

    private static func detail(of packet: ByteBuffer, header: FixedHeader, version: ProtocolVersion, sender: Sender) -> [Detail] {
        let limits = DecodingLimits(userPropertiesMax: .max, propertyBytesMax: .max)
        do throws(DecodeError) {
            let decoded = try Packet(decoding: packet, header: header, version: version, sender: sender, limits: limits)
            return PacketDetail.of(decoded, bytes: packet.readableBytes)
        } catch {
            return [.text("problem", error.description), .number("bytes", packet.readableBytes)]
        }
    }

    private func trace(_ direction: TracedStep.Direction, _ name: String, of clientID: String, _ detail: () -> [Detail]) {
        let key = ExactText(clientID)
        var made: [Detail]?
        var hasEnded = false
        for place in traces.indices where traces[place].clientID == key {
            if now >= traces[place].endsAt {
                hasEnded = true
                continue
            }
            guard let skipped = traces[place].admit(at: now) else { continue }
            let facts = made ?? detail()
            made = facts
            transport.traced(
                traces[place].id, TracedStep(at: now, direction: direction, name: name, detail: facts, skipped: skipped))
        }
        if hasEnded {
            traces.removeAll { now >= $0.endsAt }
            if let session = sessions[key] { markTraced(session) }
        }
    }
}
