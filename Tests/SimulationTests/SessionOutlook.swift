import BrokerCore
import MQTTCodec

/// How a client connects.
struct ConnectTerms {
    var version = ProtocolVersion.v311
    var cleanStart = true
    /// What the session outlives the connection by; in MQTT 3.1.1 what the broker gives it.
    var expirySeconds = 0
    var receiveMaximum: UInt16?
    var maximumPacketSize: UInt32?
    var topicAliasMaximum: UInt16 = 0
    var willQoS: QoS?
    /// 0 in MQTT 3.1.1.
    var willDelaySeconds: UInt32 = 0
}

/// When the broker must still have a client's session, and when it must not have it any more.
struct SessionOutlook {
    private(set) var presentUntil = Instant(nanoseconds: 0)
    private(set) var absentFrom = Instant(nanoseconds: 0)
    /// Connections since the last one that was established: of each, the broker may have seen the CONNECT or not.
    private(set) var failures = 0
    private var endedAt = Instant(nanoseconds: 0)
    /// The goodbye alone ends the session with the connection: a new connection may overtake it on its way between shards.
    private var endsByGoodbye = false
    private var attemptedAt = Instant(nanoseconds: 0)

    /// What a CONNACK means.
    enum Answer {
        case resumed
        case new
        /// A session, but maybe one that a failed attempt began.
        case unclear
    }

    mutating func attempt(at now: Instant) { if failures == 0 { attemptedAt = now } }

    /// When the first of the attempts began of which this may be the last.
    var firstAttempt: Instant { attemptedAt }

    /// An established connection ended at `now`, or ends as soon as a takeover is through.
    ///
    /// `earliest`: when the broker may have known.
    mutating func ended(
        at now: Instant, earliest: Instant, expirySeconds: ClosedRange<Int>, isTakenOver: Bool, endsByGoodbye: Bool
    ) {
        failures = 0
        self.endsByGoodbye = endsByGoodbye
        endedAt = now
        presentUntil = Self.limits(at: earliest, expirySeconds, isTakenOver: isTakenOver).0
        absentFrom = Self.limits(at: now, expirySeconds, isTakenOver: isTakenOver).1
    }

    mutating func failed(at now: Instant, expirySeconds: Int, isTakenOver: Bool) {
        failures += 1
        let limits = Self.limits(at: now, expirySeconds...expirySeconds, isTakenOver: isTakenOver)
        presentUntil = min(presentUntil, limits.0)
        absentFrom = max(absentFrom, limits.1)
    }

    private static func limits(at now: Instant, _ seconds: ClosedRange<Int>, isTakenOver: Bool) -> (Instant, Instant) {
        let never = Instant(nanoseconds: 0)
        let until = seconds.lowerBound == 0 ? never : now.advanced(bySeconds: Double(seconds.lowerBound))
        if seconds.upperBound == 0 { return (until, never) }
        return (until, isTakenOver ? .distantFuture : now.advanced(bySeconds: Double(seconds.upperBound)))
    }

    mutating func established(_ terms: ConnectTerms, sessionPresent: Bool, at now: Instant, lastUnsettled: Instant) throws(BrokenPromise)
        -> Answer
    {
        defer { failures = 0 }
        if terms.cleanStart {
            if sessionPresent { throw BrokenPromise("a clean session is present") }
            return .new
        }
        if !sessionPresent {
            if now < presentUntil { throw BrokenPromise("the session is gone before \(presentUntil)") }
            return .new
        }
        if failures > 0 { return now < presentUntil ? .resumed : .unclear }
        // At the same instant the goodbye may still be between two shards.
        let mayHaveOvertaken = endsByGoodbye && attemptedAt == endedAt
        if attemptedAt >= absentFrom, !mayHaveOvertaken, lastUnsettled < endedAt || (absentFrom.nanoseconds == 0 && !endsByGoodbye) {
            throw BrokenPromise("a session that ended at \(absentFrom) is present")
        }
        return .resumed
    }
}
