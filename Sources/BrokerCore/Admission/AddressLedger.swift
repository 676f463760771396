/// What is remembered of the addresses that connected last: how fast they come, and how often they failed to prove who they are.
///
/// Sans-IO, in bounded memory: an address that is forgotten starts anew, and the rate of the whole broker holds for all together.
struct AddressLedger {
    /// Why a socket is closed as soon as it is accepted.
    enum Refusal: String {
        case addressRate = "address_rate"
        case brokerRate = "broker_rate"
        case addressBlocked = "address_blocked"
    }

    private struct Record {
        var bucket: TokenBucket
        var failures = 0
        var failedAt: Instant
        var blockedUntil: Instant
    }

    private var addressRate: Rate
    private var brokerRate: Rate
    private var limits: BrokerLimits
    private var records: RecentTable<PeerNetwork, Record>
    private var broker: TokenBucket

    init(limits: BrokerLimits) {
        addressRate = Rate(perSecond: limits.connectsPerSecondPerAddressMax, burst: limits.connectBurstPerAddressMax)
        brokerRate = Rate(perSecond: limits.connectsPerSecondMax, burst: limits.connectsPerSecondMax)
        self.limits = limits
        records = RecentTable(capacity: limits.addressesTrackedMax)
        broker = TokenBucket(fullAt: Instant(nanoseconds: 0))
    }

    /// Takes other limits for what comes: what is remembered of addresses stays.
    mutating func take(_ limits: BrokerLimits) {
        addressRate = Rate(perSecond: limits.connectsPerSecondPerAddressMax, burst: limits.connectBurstPerAddressMax)
        brokerRate = Rate(perSecond: limits.connectsPerSecondMax, burst: limits.connectsPerSecondMax)
        self.limits = limits
    }

    var count: Int { records.count }

    /// An address connects; answers why it may not.
    ///
    /// The broker's rate is asked first: a flood from many addresses that it turns away must not push out what is remembered of others. Nor
    /// does an address that is turned away use up that rate.
    mutating func connected(_ address: PeerNetwork, at now: Instant) -> Refusal? {
        guard broker.hasToken(brokerRate, at: now) else { return .brokerRate }
        let refusal = records.update(address, fresh: Self.fresh(now)) { record -> Refusal? in
            if record.blockedUntil > now { return .addressBlocked }
            return record.bucket.take(addressRate, at: now) ? nil : .addressRate
        }
        if refusal == nil { _ = broker.take(brokerRate, at: now) }
        return refusal
    }

    func isBlocked(_ address: PeerNetwork, at now: Instant) -> Bool {
        records.value(of: address).map { $0.blockedUntil > now } ?? false
    }

    /// An address failed to prove who it is; answers the seconds that it waits for the answer, twice as many each time.
    ///
    /// At `failedAuthenticationsMax` it is blocked. After `failedAuthenticationBlockSeconds` without a failure all is forgotten.
    mutating func failed(_ address: PeerNetwork, at now: Instant) -> Double {
        let (first, block) = (limits.failedAuthenticationDelayMilliseconds, Double(limits.failedAuthenticationBlockSeconds))
        let failuresMax = limits.failedAuthenticationsMax
        return records.update(address, fresh: Self.fresh(now)) { record in
            if record.failedAt.advanced(bySeconds: block) <= now { record.failures = 0 }
            let doublings = min(record.failures, 62)
            record.failures += 1
            record.failedAt = now
            if record.failures >= failuresMax {
                record.failures = 0
                record.blockedUntil = now.advanced(bySeconds: block)
            }
            return Double(first) / 1_000 * Double(1 << doublings)
        }
    }

    private static func fresh(_ now: Instant) -> Record {
        Record(bucket: TokenBucket(fullAt: now), failedAt: now, blockedUntil: Instant(nanoseconds: .min))
    }
}
