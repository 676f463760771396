import Foundation

/// The command line that all benchmarks share.
///
/// Without options, a table of all cases; `--json` the same as JSON; `--list` the names; `--only TEXT` the cases whose name contains it;
/// `--instructions NAME COUNT` runs one case COUNT times and measures nothing, for `instructions.sh`.
package enum BenchmarkCommand {
    package static func run(_ cases: [BenchmarkCase], arguments: [String] = Array(CommandLine.arguments.dropFirst())) {
        var chosen = cases
        var isJSON = false
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--json": isJSON = true
            case "--list":
                for test in cases { print(test.name) }
                return
            case "--only":
                guard let text = rest.popFirst() else { fail("--only needs a text") }
                chosen = chosen.filter { $0.name.contains(text) }
            case "--instructions":
                guard let name = rest.popFirst(), let times = rest.popFirst().flatMap({ Int($0) }),
                    let test = cases.first(where: { $0.name == name })
                else { fail("--instructions needs a case's name (see --list) and a count") }
                count(test, times: times)
                return
            default: fail("unknown option \(argument)")
            }
        }
        if isJSON { printJSON(chosen.map { BenchmarkResult(measuring: $0) }) } else { printTable(chosen) }
    }

    /// Runs whole batches, so many that at least `times` operations are done, and prints how many they were.
    private static func count(_ test: BenchmarkCase, times: Int) {
        var kept = 0
        var done = 0
        while done < times {
            kept &+= test.run()
            done += test.operations
        }
        withExtendedLifetime(kept) {}
        print(done)
    }

    private static func printTable(_ cases: [BenchmarkCase]) {
        print(row("case", "bytes", "ns min", "median", "max", "per CPU second"))
        for test in cases {
            let result = BenchmarkResult(measuring: test)
            print(
                row(
                    result.name, result.bytes.map { "\($0)" } ?? "", tenths(result.nanosecondsMin), tenths(result.nanosecondsMedian),
                    tenths(result.nanosecondsMax), "\(Int(result.operationsPerCPUSecond))"))
        }
    }

    private static func row(_ name: String, _ numbers: String...) -> String {
        let widths = [7, 10, 10, 10, 16]
        return zip(numbers, widths).reduce(name.padding(toLength: 30, withPad: " ", startingAt: 0)) { line, cell in
            line + String(repeating: " ", count: max(1, cell.1 - cell.0.count)) + cell.0
        }
    }

    private static func tenths(_ value: Double) -> String { String(format: "%.1f", value) }

    private static func printJSON(_ results: [BenchmarkResult]) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        guard let data = try? encoder.encode(results) else { fail("the results are no JSON") }
        print(String(decoding: data, as: UTF8.self))
    }

    private static func fail(_ reason: String) -> Never {
        FileHandle.standardError.write(Data("\(reason)\n".utf8))
        exit(2)
    }
}
