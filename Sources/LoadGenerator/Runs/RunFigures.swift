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
    /// Threads that the generator had for its load.
    package var threads: Int
    package var latency: LatencySummary?
    /// From sending to the broker's acknowledgement, in mode `durable`.
    package var acknowledgementLatency: LatencySummary?
    /// Connections that resumed a TLS session, when they were to.
    package var resumed: UInt64?
    package var idle: IdleFigures?
    package var absence: AbsenceFigures?
    package var verification = VerificationReport()
    /// What ended the run before its time: a stall, with what was missing, or failed connections.
    package var interruption: String?

    package init(broker: BrokerAddress, threads: Int) {
        self.broker = broker
        self.threads = threads
    }

    /// How much of its threads the generator used, 0 to 1; a little more, because other threads of the process count too.
    ///
    /// `nil` when the part was too short for what the kernel counts.
    package var generatorShare: Double? {
        seconds >= 0.1 ? generatorCPUSeconds / (seconds * Double(threads)) : nil
    }

    /// Whether a rate says what the generator can send and not what the broker can take.
    package var isGeneratorBottleneck: Bool { (generatorShare ?? 0) >= Self.bottleneckShare }

    /// The share from which on the generator is taken for the bottleneck.
    package static let bottleneckShare = 0.9

    package var isClean: Bool { verification.isClean && interruption == nil && (idle?.isClean ?? true) }
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

/// What connections cost that do nothing, and what their loss costs.
package struct IdleFigures: Sendable {
    package var connections = 0
    /// Attempts that failed while they were opened.
    package var failed: UInt64 = 0
    /// The broker's resident memory for each connection, in bytes; what it had before is not in it.
    package var residentBytesPerConnection: Double?
    /// Connections that ended without being asked to.
    package var lost: UInt64 = 0
    package var drop: DropFigures?

    package init() {}

    /// Whether every connection came about at the first attempt, and stayed.
    package var isClean: Bool { failed == 0 && lost == 0 && (drop?.failed ?? 0) == 0 }
}

/// What happened when all connections were lost at once.
package struct DropFigures: Sendable {
    /// From the loss until the last one was back.
    package var seconds = 0.0
    package var failed: UInt64 = 0
    package var resumed: UInt64?
    package var brokerCPUSeconds: Double?
    /// Of the bystanders' messages, before the loss and from the loss until all were back.
    package var bystandersBefore: LatencySummary?
    package var bystandersMeanwhile: LatencySummary?

    package init() {}
}

/// What happened to messages for subscribers that were away.
package struct AbsenceFigures: Sendable {
    /// Acknowledged by the broker while they were away.
    package var acknowledged: UInt64 = 0
    package var publishSeconds = 0.0
    /// From the first of them that came back until the last message was there.
    package var returnSeconds = 0.0
    /// Subscribers whose session the broker had not kept.
    package var sessionsMissing = 0

    package init() {}

    package var acknowledgedPerSecond: Double { publishSeconds > 0 ? Double(acknowledged) / publishSeconds : 0 }
    package var deliveredPerSecond: Double { returnSeconds > 0 ? Double(acknowledged) / returnSeconds : 0 }
}

/// How far a run is, for a line that people watch.
package struct RunProgress: Sendable {
    package enum Stage: String, Sendable {
        case opening
        case warmUp = "warm-up"
        case measuring
        case draining
        case away
        case returning
        case holding
    }

    package var stage: Stage
    /// Deliveries or connections so far, since the run began.
    package var completed: UInt64
}
