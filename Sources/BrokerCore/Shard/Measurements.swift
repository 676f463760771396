import NIOCore

/// What is measured of a shard besides its counters: how long messages take, and what each listener brings.
extension Shard {
    /// The counters of a listener, by its name as in ``ConnectionInfo/listener``.
    package func counters(ofListener name: String) -> ListenerCounters {
        if let known = listenerCounters[name] { return known }
        let new = ListenerCounters()
        listenerCounters[name] = new
        return new
    }

    /// This shard's part of what is measured.
    func addMeasurements(to statistics: inout BrokerStatistics) {
        statistics.publishToDeliver = tally.latency
        statistics.listeners = listenerCounters.mapValues(\.figures)
        statistics.publishBytesReceived = counters.publishBytesReceived
        statistics.publishBytesSent = counters.publishBytesSent
        statistics.connectsAccepted = counters.connectsAccepted
        statistics.sessionsExpired = counters.sessionsExpired
        statistics.sharedSubscriptions = index.sharedMemberCount
    }

    /// What waits for one session, and whether its client keeps up.
    func addQueue(of session: Session, to statistics: inout BrokerStatistics) {
        statistics.queuedBytes += session.queue.bytes
        statistics.longestQueue = max(statistics.longestQueue, session.queue.count)
        if let connection = session.connection, connection.pace != .even { statistics.slowClients += 1 }
    }

    /// A message was written for a client: it counts when it leaves, which is at the end of this turn, or when the transport takes more.
    func countDelivery(acceptedAt time: AcceptTime, on connection: ClientConnection) {
        if connection.isWritable { return tally.delivered(time, now: now) }
        guard time.isKnown else { return }
        if connection.late.messages == 0 { connection.late.time = time }
        connection.late.messages &+= 1
    }

    /// The transport takes bytes again: what waited for that is on its way, all of it as old as the oldest.
    func countLateDeliveries(on connection: ClientConnection) {
        guard connection.late.messages > 0 else { return }
        tally.delivered(connection.late.time, messages: connection.late.messages, now: now)
        connection.late = (.unknown, 0)
    }

    /// What waited in a queue before the client came counts for nothing: it waited for the client.
    func countedTime(_ time: AcceptTime, on connection: ClientConnection) -> AcceptTime {
        time.isKnown && time.age(at: now) > now.nanoseconds &- connection.openedAt.nanoseconds ? .unknown : time
    }
}

extension Message {
    /// Notes when the message was accepted, unless that is known, or it is one of the broker's own.
    mutating func noteAccepted(at now: Instant) {
        guard !acceptedAt.isKnown, topic.readableBytesView.first != UInt8(ascii: "$") else { return }
        acceptedAt = AcceptTime(now)
    }
}
