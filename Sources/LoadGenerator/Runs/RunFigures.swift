/// What one run measured.
///
/// Everything that a table or a ratio is made of.
package struct RunFigures: Sendable {
    package var broker: BrokerAddress
    /// PUBLISHes sent in the measured part; 0 in mode `connect`.
    package var published: UInt64 = 0
    /// Deliveries to subscribers in the measured part, or connections in mode `connect`: what the rates count.
    package var completed: UInt64 = 0
    /// From the first send to the last delivery.
    package var seconds = 0.0
    package var brokerCPUSeconds: Double?
    package var brokerResidentBytesBefore: Int?
    package var brokerResidentBytesAfter: Int?
    package var generatorCPUSeconds = 0.0
    package var latency: LatencySummary?
    package var verification = VerificationReport()
    /// What ended the run before its time: a stall, with what was missing, or failed connections.
    package var interruption: String?

    package init(broker: BrokerAddress) {
        self.broker = broker
    }

    package var isClean: Bool { verification.isClean && interruption == nil }
    package var perSecond: Double { seconds > 0 ? Double(completed) / seconds : 0 }
    /// The figure that holds on a shared machine.
    ///
    /// `nil` without a process to read, or when it used less CPU than the kernel counts.
    package var perBrokerCPUSecond: Double? { Self.per(brokerCPUSeconds, completed) }
    package var perGeneratorCPUSecond: Double? { Self.per(generatorCPUSeconds, completed) }

    /// Takes the difference of two readings.
    package mutating func setUsage(
        broker: (before: ProcessUsage?, after: ProcessUsage?), own: (before: ProcessUsage?, after: ProcessUsage?)
    ) {
        if let before = broker.before, let after = broker.after {
            brokerCPUSeconds = after.cpuSeconds - before.cpuSeconds
            brokerResidentBytesBefore = before.residentBytes
            brokerResidentBytesAfter = after.residentBytes
        }
        if let before = own.before, let after = own.after { generatorCPUSeconds = after.cpuSeconds - before.cpuSeconds }
    }

    private static func per(_ seconds: Double?, _ count: UInt64) -> Double? {
        guard let seconds, seconds > 0 else { return nil }
        return Double(count) / seconds
    }
}

/// How far a run is, for a line that people watch.
package struct RunProgress: Sendable {
    package enum Stage: String, Sendable {
        case opening
        case warmUp = "warm-up"
        case measuring
        case draining
    }

    package var stage: Stage
    /// Deliveries or connections so far, since the run began.
    package var completed: UInt64
}
