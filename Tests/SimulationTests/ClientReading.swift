import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore

/// What a client makes of the broker's packets, and the promises that each of them is held to.
extension ModelClient {
    /// Takes bytes that reached the client, and reacts as a client must.
    func read(_ bytes: ByteBuffer, now: Instant, step: Int) throws {
        unread.writeImmutableBuffer(bytes)
        while true {
            let before = unread.readableBytes
            guard let packet = try Packet.read(from: &unread, version: terms.version, sender: .server) else { return }
            let size = before - unread.readableBytes
            while let mark = marks.first, mark.end <= readBytes { marks.removeFirst() }
            let sentAt = marks.first?.time ?? now
            readBytes += size
            if let maximum = terms.maximumPacketSize, size > Int(maximum) { throw BrokenPromise("a packet of \(size) bytes") }
            try handle(packet, sentAt: sentAt, now: now, step: step)
        }
    }

    /// The clock is about to move: what lies here was sent by now.
    func mark(at now: Instant) {
        guard let socket, !socket.isClosed || socket.toClient.readableBytes > 0 else { return }
        let end = readBytes + unread.readableBytes + socket.toClient.readableBytes
        if end > (marks.last?.end ?? readBytes) { marks.append((end, now)) }
        if !socket.acceptsBytes { lastStuck = now }
    }

    private func handle(_ packet: Packet, sentAt: Instant, now: Instant, step: Int) throws(BrokenPromise) {
        if isLeaving { return }
        if !isEstablished {
            guard case .connack(let connack) = packet else { throw BrokenPromise("\(packet) before CONNACK") }
            // Its password was not looked at in time: as if CONNECT had not come.
            if password != nil, [.serverBusy, .serverUnavailable].contains(connack.reasonCode) { return }
            return try established(connack, now: now, step: step)
        }
        switch packet {
        case .publish(let publish): try receive(publish, sentAt: sentAt)
        case .puback(let puback):
            if puback.reasonCode.isError { throw BrokenPromise("PUBACK \(puback.reasonCode)") }
            try finish(puback.packetID, .atLeastOnce)
        case .pubrec(let pubrec):
            if pubrec.reasonCode.isError { throw BrokenPromise("PUBREC \(pubrec.reasonCode)") }
            if let place = unfinished.firstIndex(where: { $0.packet.packetID == pubrec.packetID }) { unfinished[place].isReleased = true }
            write(.pubrel(packetID: pubrec.packetID))
        case .pubcomp(let pubcomp): try finish(pubcomp.packetID, .exactlyOnce)
        case .pubrel(let pubrel):
            receivedExactlyOnce.remove(pubrel.packetID)
            acknowledge(.pubcomp(packetID: pubrel.packetID), pubrel.packetID)
        case .suback(let suback):
            guard let request = subscribing.removeValue(forKey: suback.packetID) else { throw BrokenPromise("SUBACK for nothing") }
            guard suback.reasonCodes == [.granted(request.qos)] else { throw BrokenPromise("SUBACK \(suback)") }
            guard lastRequest[request.filter] == suback.packetID else { return }
            confirmed[request.filter] = Confirmed(
                qos: request.qos, noLocal: request.noLocal, since: step, connection: connectionNumber)
        case .unsuback, .pingresp: break
        case .disconnect(let disconnect): throw BrokenPromise("the broker ended the connection: \(disconnect)")
        default: throw BrokenPromise("\(packet)")
        }
    }

    private func established(_ connack: Connack, now: Instant, step: Int) throws(BrokenPromise) {
        guard connack.reasonCode == .success else { throw BrokenPromise("refused: \(connack.reasonCode)") }
        let firstAttempt = outlook.firstAttempt
        let answer = try outlook.established(
            terms, sessionPresent: connack.sessionPresent, at: now, lastUnsettled: chronicle.lastUnsettled)
        resolveWills(isResumed: answer == .resumed, firstAttempt: firstAttempt, now: now)
        isEstablished = true
        mustCleanStart = false
        switch answer {
        case .resumed: break
        case .new: if terms.cleanStart { chronicle.memberEnded(of: group, at: step) } else { forgetSession(at: step) }
        case .unclear:
            // Nobody knows what this session is owed: it starts over.
            isEstablished = false
            isLeaving = true
            mustCleanStart = true
            return
        }
        brokersAliasMaximum = connack.properties.topicAliasMaximum ?? 0
        subscribing = [:]
        for entry in unfinished {
            if entry.isReleased {
                write(.pubrel(packetID: entry.packet.packetID))
            } else {
                var packet = entry.packet
                packet.duplicate = true
                chronicle.repetitions.insert(entry.name)
                write(packet, entry.name, usesAlias: false)
            }
        }
    }

    private func receive(_ packet: Publish, sentAt: Instant) throws(BrokenPromise) {
        let topic = String(buffer: try topic(of: packet))
        guard let name = MessageName(topic: topic, payload: String(buffer: packet.payload)) else {
            throw BrokenPromise("a payload that nobody sent: \(String(buffer: packet.payload))")
        }
        var isRepeat = false
        if packet.qos == .exactlyOnce { isRepeat = !receivedExactlyOnce.insert(packet.packetID).inserted }
        if isRepeat && !packet.duplicate { throw BrokenPromise("packet id \(packet.packetID) used twice") }
        if packet.qos > .atMostOnce {
            underWay.insert(packet.packetID)
            let maximum = min(inflightMax, terms.receiveMaximum.map { Int($0) } ?? .max)
            if underWay.count > maximum { throw BrokenPromise("\(underWay.count) messages under way, of \(maximum) at most") }
        }
        let isOwn = name.publisher == "\(clientID).\(life)"
        let matching = filters.filter { Self.matches(topic, $0.key) }.map(\.value)
        let isFirst = try ledger.receive(
            packet, name, matching: matching, version: terms.version, isRepeat: isRepeat, isOwn: isOwn,
            repetitions: chronicle.repetitions)
        chronicle.hear(name)
        if isFirst, name.isWork, let group { try chronicle.share(name, of: group, at: packet.qos) }
        if terms.version == .v5 {
            try chronicle.checkExpiry(of: name, packet, sentAt: sentAt) { lastStuck >= $0 }
        }
        switch packet.qos {
        case .atMostOnce: break
        case .atLeastOnce: acknowledge(.puback(packetID: packet.packetID), packet.packetID)
        case .exactlyOnce: write(.pubrec(packetID: packet.packetID))
        }
    }

    /// Whether a topic matches a filter, shared or not.
    static func matches(_ topic: String, _ filter: String) -> Bool {
        guard filter.hasPrefix("$share/") else { return Topics.matches(name: topic, filter: filter) }
        return Topics.matches(name: topic, filter: filter.split(separator: "/", maxSplits: 2).last.map { String($0) } ?? "")
    }

    private func topic(of packet: Publish) throws(BrokenPromise) -> ByteBuffer {
        guard let alias = packet.properties.topicAlias else { return packet.topic }
        if alias > terms.topicAliasMaximum { throw BrokenPromise("topic alias \(alias) of \(terms.topicAliasMaximum)") }
        if packet.topic.readableBytes > 0 {
            inboundAliases[alias] = packet.topic
            return packet.topic
        }
        guard let topic = inboundAliases[alias] else { throw BrokenPromise("topic alias \(alias) stands for nothing") }
        return topic
    }

    private func finish(_ packetID: UInt16, _ qos: QoS) throws(BrokenPromise) {
        guard let place = unfinished.firstIndex(where: { $0.packet.packetID == packetID && $0.name.qos == qos }) else { return }
        if let earlier = unfinished[..<place].first(where: { $0.name.qos == .atLeastOnce && qos == .atLeastOnce }) {
            throw BrokenPromise("PUBACK for \(unfinished[place].name) before \(earlier.name)")
        }
        let name = unfinished.remove(at: place).name
        if let record = sent[name] { acknowledged.append(record) }
    }
}
