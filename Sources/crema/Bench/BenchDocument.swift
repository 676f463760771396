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
        var qos: UInt8?
        var payloadBytes: Int?
        var publishers: Int?
        var subscribers: Int?
        var stalled: Int?
        var persistent: Bool?
        var inflight: Int?
        var ratePerSecond: Double?
        var concurrency: Int?
        var messages: Int?
        var seconds: Double?
        var warmUpSeconds: Double
        var timeoutSeconds: Double
        var threads: Int
        var tls: Bool
        var tlsVersion: TLSParameters.Version?
        var clientCertificate: Bool
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
        var latencyMicroseconds: LatencySummary?
        var isClean: Bool
        var violations: [String: UInt64]
        var redelivered: UInt64
        var examples: [String]
        var interruption: String?
    }

    /// One figure over all rounds; `ratio` is the first broker's by the second's, pair by pair.
    struct Comparison: Encodable {
        var figure: String
        var broker: Spread?
        var against: Spread?
        var ratio: Spread?
    }

    init(_ results: BenchResults) {
        parameters = Parameters(results.parameters)
        rounds = results.rounds[0].indices.flatMap { round in
            results.rounds.map { Round($0[round], number: round + 1, isConnect: results.parameters.mode == .connect) }
        }
        comparison = BenchFigure.all(unit: results.unit).map { figure in
            Comparison(
                figure: figure.key,
                broker: results.spread(figure.value, broker: 0),
                against: results.rounds.count == 2 ? results.spread(figure.value, broker: 1) : nil,
                ratio: results.ratio(figure.value))
        }
    }
}

extension BenchDocument.Parameters {
    init(_ parameters: LoadParameters) {
        mode = parameters.mode
        let sends = parameters.mode != .connect
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
    }
}

extension BenchDocument.Round {
    init(_ figures: RunFigures, number: Int, isConnect: Bool) {
        round = number
        broker = figures.broker.description
        published = isConnect ? nil : figures.published
        completed = figures.completed
        seconds = figures.seconds
        perSecond = figures.perSecond
        brokerCPUSeconds = figures.brokerCPUSeconds
        perBrokerCPUSecond = figures.perBrokerCPUSecond
        brokerResidentBytesBefore = figures.brokerResidentBytesBefore
        brokerResidentBytesAfter = figures.brokerResidentBytesAfter
        generatorCPUSeconds = figures.generatorCPUSeconds
        perGeneratorCPUSecond = figures.perGeneratorCPUSecond
        latencyMicroseconds = figures.latency
        isClean = figures.isClean
        let report = figures.verification
        violations = Dictionary(uniqueKeysWithValues: Violation.Kind.allCases.map { ($0.rawValue, report.count(of: $0)) })
        redelivered = report.redelivered
        examples = report.examples.map(\.description)
        interruption = figures.interruption
    }
}
