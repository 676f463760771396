import ArgumentParser
import FoundationEssentials
import Glibc
import LoadGenerator

/// `crema bench`: puts load on any MQTT 3.1.1 broker, checks every message, and says what it cost the broker.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Put load on an MQTT broker and verify every message.",
        discussion: """
            Modes: p2p (N publishers, each with its own topic and subscriber), fanin (N publishers, 1 subscriber), fanout (1 publisher, \
            N subscribers), connect (connections that come and go).

            Without --rate each publisher keeps --inflight messages outstanding: 200 is the batched shape, 1 the unbatched. A message is \
            outstanding until every subscriber has it and, at QoS 1 and 2, the broker has acknowledged it. With --rate messages leave on \
            a schedule, and latency counts from the time at which each should have left.

            Rates count deliveries. On a machine that others use too, compare deliveries per CPU second of the broker (--pid), and two \
            brokers in turns (--against).

            Exit codes: 0 every message arrived once and in order; 1 a message was lost, repeated, late or altered, or the run stalled; \
            2 wrong usage; 3 cannot connect; 4 refused; 5 TLS failed.
            """)

    @Argument(help: "p2p, fanin, fanout or connect.")
    var mode: LoadMode

    @OptionGroup var load: LoadOptions
    @OptionGroup var brokers: BrokerOptions

    @Flag(help: "Print every figure and parameter as JSON.")
    var json = false

    @Option(help: ArgumentHelp("With --against: print one row of a Markdown table, under this name.", valueName: "name"))
    var markdownRow: String?

    mutating func run() async throws {
        do {
            try await measure()
        } catch let error as LoadError {
            complain("\(error)")
            throw ExitCode(error.exitCode)
        }
    }

    private func measure() async throws {
        let parameters = try load.parameters(mode: mode)
        let (rounds, targets) = try brokers.plan()
        if markdownRow != nil, targets.count != 2 { throw LoadError.parameters("--markdown-row needs --against") }
        if markdownRow != nil, json { throw LoadError.parameters("--markdown-row and --json exclude each other") }
        raiseOpenFileLimit()

        let runs = try targets.map { target throws(LoadError) in
            try LoadRun(parameters: parameters, broker: target.address, brokerPID: target.pid)
        }
        var results = BenchResults(parameters: parameters, brokerCount: targets.count)
        for round in 1...rounds {
            for (index, run) in runs.enumerated() {
                let line = ProgressLine(prefix: "\(targets[index].address), round \(round) of \(rounds)")
                let figures = try await run.execute { line.show($0) }
                line.clear()
                results.append(figures, broker: index)
                for line in results.complaints(figures) { complain(line) }
            }
        }
        try show(results)
        if !results.isClean { throw ExitCode(1) }
    }

    private func show(_ results: BenchResults) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(BenchDocument(results)), as: UTF8.self))
        } else if let markdownRow {
            print(BenchTable(results).markdownRow(named: markdownRow))
        } else {
            print(BenchTable(results).text)
        }
    }

    private func complain(_ message: String) {
        FileOutput.standardError.write("crema bench: \(message)\n")
    }
}

extension LoadMode: ExpressibleByArgument {}
extension TLSParameters.Version: ExpressibleByArgument {}

extension BrokerAddress: ExpressibleByArgument {
    init?(argument: String) { self.init(parsing: argument) }
}

/// One of the process's standard outputs, written without buffering.
struct FileOutput: Sendable {
    static let standardError = FileOutput(descriptor: STDERR_FILENO)

    let descriptor: Int32

    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Writes `text`; what a closed output does not take is dropped, as a report has nowhere else to go.
    func write(_ text: String) {
        _ = unsafe text.utf8.span.withUnsafeBytes { bytes in
            unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        }
    }
}

/// The line on a terminal that says how far a run is; nothing in a pipe.
struct ProgressLine: Sendable {
    let prefix: String
    private let output = FileOutput.standardError

    init(prefix: String) {
        self.prefix = prefix
    }

    func show(_ progress: RunProgress) {
        guard output.isTerminal else { return }
        output.write("\r\u{1B}[K\(prefix): \(progress.stage.rawValue), \(grouped(Double(progress.completed))) done")
    }

    func clear() {
        if output.isTerminal { output.write("\r\u{1B}[K") }
    }
}
