import FuzzDriver

/// Feeds LLVM's fuzzer to ``StatementProperties``; run by `.ci/fuzz.sh`.
@main enum RuleStatements {
    static func main() {
        FuzzDriver.run { StatementProperties(input: $0).check() }
    }
}
