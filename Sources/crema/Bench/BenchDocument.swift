import LoadGenerator
import MQTTCodec

/// The document that `crema bench --json` prints.
///
/// Times are in the unit that the name says; a figure that could not be had is left out.
struct BenchDocument: Encodable {
    var parameters: Parameters
    var rounds: [Round]
    var comparison: [Comparison]

    struct Parameters: Encodable {
        var mode: LoadMode
        var mqttVersion: MQTTVersion
        var qos: UInt8?
        var payloadBytes: Int?
        var publishers: Int?
        var subscribers: Int?
        var stalled: Int?
        var persistent: Bool?
        var inflight: Int?
        var ratePerSecond: Double?
        var concurrency: Int?
        var connections: Int?
        var drop: Bool?
        var bystanders: Int?
        var offlineMessages: Int?
        var messages: Int?
        var seconds: Double?
        var warmUpSeconds: Double
        var timeoutSeconds: Double
        var threads: Int
        var tls: Bool
        var tlsVersion: TLSParameters.Version?
        var clientCertificate: Bool
        var resume: Bool
        var webSocketPath: String?
    }

    /// One run against one broker.
    struct Round: Encodable {
        var round: Int
        var broker: String
        var published: UInt64?
        var completed: UInt64
        var seconds: Double
        var perSecond: Double
        var brokerCPUSeconds: Double?
        var perBrokerCPUSecond: Double?
        var brokerResidentBytesBefore: Int?
        var brokerResidentBytesAfter: Int?
        var generatorCPUSeconds: Double
        var perGeneratorCPUSecond: Double?
        /// Of its threads, 0 to 1.
        var generatorShare: Double?
        var generatorIsBottleneck: Bool
        var latencyMicroseconds: LatencySummary?
        var acknowledgementMicroseconds: LatencySummary?
        var resumed: UInt64?
        var idle: Idle?
        var absence: Absence?
        var isClean: Bool
        var violations: [String: UInt64]
        var redelivered: UInt64
        var examples: [String]
        var interruption: String?
    }

    /// Of mode `idle`.
    struct Idle: Encodable {
        var connections: Int
        var failed: UInt64
        var lost: UInt64
        var residentBytesPerConnection: Double?
        var backSeconds: Double?
        var backFailed: UInt64?
        var backResumed: UInt64?
        var backBrokerCPUSeconds: Double?
        var bystandersBeforeMicroseconds: LatencySummary?
        var bystandersMeanwhileMicroseconds: LatencySummary?
    }

    /// Of mode `durable`: what was published while the subscribers were away.
    struct Absence: Encodable {
        var acknowledged: UInt64
        var acknowledgedPerSecond: Double
        var returnSeconds: Double
        var sessionsMissing: Int
    }

    /// One figure over all rounds, of each broker; a ratio is the first broker's by each further one's, pair by pair.
    struct Comparison: Encodable {
        var figure: String
        var brokers: [Spread?]
        var ratios: [Spread?]
    }

    init(_ results: BenchResults) {
        parameters = Parameters(results.parameters)
        rounds = results.rounds[0].indices.flatMap { round in
            results.rounds.map { Round($0[round], number: round + 1, sends: results.parameters.mode.sendsMessages) }
        }
        comparison = BenchFigure.all(of: results).map { figure in
            Comparison(
                figure: figure.key,
                brokers: results.rounds.indices.map { results.spread(figure.value, broker: $0) },
                ratios: results.rounds.indices.dropFirst().map { results.ratio(figure.value, to: $0) })
        }
    }
}

extension BenchDocument.Parameters {
    init(_ parameters: LoadParameters) {
        mode = parameters.mode
        mqttVersion = parameters.version
        let sends = parameters.mode.sendsMessages
        qos = sends ? parameters.qos.rawValue : nil
        payloadBytes = sends ? parameters.payloadBytes : nil
        publishers = sends ? parameters.publishers : nil
        subscribers = sends ? parameters.subscribers : nil
        stalled = parameters.stalled > 0 ? parameters.stalled : nil
        persistent = parameters.keepsSessions ? true : nil
        inflight = sends && parameters.rate == nil ? parameters.inflight : nil
        ratePerSecond = parameters.rate
        concurrency = sends ? nil : parameters.concurrency
        switch parameters.amount {
        case .messages(let count): messages = count
        case .seconds(let length): seconds = length
        }
        warmUpSeconds = parameters.warmUpSeconds
        timeoutSeconds = parameters.timeoutSeconds
        threads = parameters.threads
        tls = parameters.tls != nil
        tlsVersion = parameters.tls?.version
        clientCertificate = parameters.tls?.certificateFile != nil
        resume = parameters.resumes
        webSocketPath = parameters.webSocketPath
        if parameters.mode == .idle {
            connections = parameters.connections
            drop = parameters.drops
            bystanders = parameters.drops ? parameters.bystanders : nil
        }
        offlineMessages = parameters.mode == .durable ? parameters.offlineMessages : nil
    }
}

extension BenchDocument.Round {
    init(_ figures: RunFigures, number: Int, sends: Bool) {
        round = number
        broker = figures.broker.description
        published = sends ? figures.published : nil
        completed = figures.completed
        seconds = figures.seconds
        perSecond = figures.perSecond
        brokerCPUSeconds = figures.brokerCPUSeconds
        perBrokerCPUSecond = figures.perBrokerCPUSecond
        brokerResidentBytesBefore = figures.brokerResidentBytesBefore
        brokerResidentBytesAfter = figures.brokerResidentBytesAfter
        generatorCPUSeconds = figures.generatorCPUSeconds
        perGeneratorCPUSecond = figures.perGeneratorCPUSecond
        generatorShare = figures.generatorShare
        generatorIsBottleneck = figures.isGeneratorBottleneck
        latencyMicroseconds = figures.latency
        acknowledgementMicroseconds = figures.acknowledgementLatency
        resumed = figures.resumed
        idle = figures.idle.map { BenchDocument.Idle($0) }
        absence = figures.absence.map { absence in
            BenchDocument.Absence(
                acknowledged: absence.acknowledged, acknowledgedPerSecond: absence.acknowledgedPerSecond,
                returnSeconds: absence.returnSeconds, sessionsMissing: absence.sessionsMissing)
        }
        isClean = figures.isClean
        let report = figures.verification
        violations = Dictionary(uniqueKeysWithValues: Violation.Kind.allCases.map { ($0.rawValue, report.count(of: $0)) })
        redelivered = report.redelivered
        examples = report.examples.map(\.description)
        interruption = figures.interruption
    }
}

extension BenchDocument.Idle {
    init(_ figures: IdleFigures) {
        connections = figures.connections
        failed = figures.failed
        lost = figures.lost
        residentBytesPerConnection = figures.residentBytesPerConnection
        backSeconds = figures.drop?.seconds
        backFailed = figures.drop?.failed
        backResumed = figures.drop?.resumed
        backBrokerCPUSeconds = figures.drop?.brokerCPUSeconds
        bystandersBeforeMicroseconds = figures.drop?.bystandersBefore
        bystandersMeanwhileMicroseconds = figures.drop?.bystandersMeanwhile
    }
}
