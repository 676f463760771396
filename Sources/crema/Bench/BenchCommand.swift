import ArgumentParser
import FoundationEssentials
import Glibc
import LoadGenerator

/// `crema bench`: puts load on any MQTT broker, checks every message, and says what it cost the broker.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Put load on an MQTT broker and verify every message.",
        discussion: """
            Modes: p2p (N publishers, each with its own topic and subscriber), fanin (N publishers, 1 subscriber), fanout (1 publisher, \
            N subscribers), connect (connections that come and go), idle (connections that stand: their memory; with --drop, how they come \
            back after all were lost at once), rules (orders of N users, of which the broker's rules make statuses; --print-resources N \
            writes those rules), durable (subscribers with sessions that are kept: acknowledgements, then what was acknowledged while \
            they were away).

            Without --rate each publisher keeps --inflight messages outstanding: 200 is the batched shape, 1 the unbatched. A message is \
            outstanding until every subscriber has it and, at QoS 1 and 2, the broker has acknowledged it. With --rate messages leave on \
            a schedule, and latency counts from the time at which each should have left.

            Rates count deliveries; in connect and idle connections, in durable acknowledgements. On a machine that others use too, \
            compare deliveries per CPU second of the broker (--pid), and two brokers in turns (--against). A generator that used up its \
            threads says so: its rate is not the broker's.

            Exit codes: 0 every message arrived once and in order, and every connection came about; 1 a message was lost, repeated, late \
            or altered, a connection failed, or the run stalled; 2 wrong usage; 3 cannot connect; 4 refused; 5 TLS failed.
            """)

    @Argument(help: "p2p, fanin, fanout, connect, idle, rules or durable.")
    var mode: LoadMode

    @OptionGroup(title: "The load") var load: LoadOptions
    @OptionGroup(title: "The transport") var transport: TransportOptions
    @OptionGroup(title: "The brokers") var brokers: BrokerOptions

    @Option(
        help: ArgumentHelp("In rules: write the resources that a broker needs for so many users, and measure nothing.", valueName: "users"))
    var printResources: Int?

    @Flag(help: "Print every figure and parameter as JSON.")
    var json = false

    @Option(help: ArgumentHelp("With --against: print one row of a Markdown table, under this name.", valueName: "name"))
    var markdownRow: String?

    @Option(help: ArgumentHelp("The row's figure, by its name in --json's comparison; may be given again.", valueName: "figure"))
    var rowFigure: [String] = []

    mutating func run() async throws {
        do {
            if let printResources { try printTemplate(users: printResources) } else { try await measure() }
        } catch let error as LoadError {
            complain("\(error)")
            throw ExitCode(error.exitCode)
        }
    }

    private func printTemplate(users: Int) throws(LoadError) {
        guard mode == .rules else { throw .parameters("--print-resources applies to rules alone") }
        guard (1...RulesTemplate.usersMax).contains(users) else {
            throw .parameters("--print-resources must be 1 to \(RulesTemplate.usersMax) users")
        }
        RulesTemplate.write(users: users) { print($0, terminator: "") }
    }

    private func measure() async throws {
        var parameters = try load.parameters(mode: mode, version: transport.version)
        try transport.add(to: &parameters)
        let (rounds, targets) = try brokers.plan(mode: mode)
        if markdownRow != nil, targets.count < 2 { throw LoadError.parameters("--markdown-row needs --against") }
        if markdownRow != nil, json { throw LoadError.parameters("--markdown-row and --json exclude each other") }
        if markdownRow == nil, !rowFigure.isEmpty { throw LoadError.parameters("--row-figure needs --markdown-row") }

        var results = BenchResults(parameters: parameters, brokerCount: targets.count)
        let rowFigures = try BenchFigure.row(of: results, keys: rowFigure)
        let runs = try targets.map { target throws(LoadError) in try LoadRun(parameters: parameters, target: target) }
        try parameters.validate(openFileLimit: raiseOpenFileLimit())
        for round in 1...rounds {
            for (index, run) in runs.enumerated() {
                let line = ProgressLine(prefix: "\(targets[index].address), round \(round) of \(rounds)")
                let figures = try await run.execute { line.show($0) }
                line.clear()
                results.append(figures, broker: index)
                for line in results.complaints(figures) { complain(line) }
            }
        }
        for line in results.warnings { complain(line) }
        try show(results, rowFigures: rowFigures)
        if !results.isClean { throw ExitCode(1) }
    }

    private func show(_ results: BenchResults, rowFigures: [BenchFigure]) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(BenchDocument(results)), as: UTF8.self))
        } else if let markdownRow {
            print(BenchTable(results).markdownRow(named: markdownRow, figures: rowFigures))
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
extension MQTTVersion: ExpressibleByArgument {}

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
