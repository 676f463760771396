import FuzzDriver

/// Feeds LLVM's fuzzer to ``PatternProperties``; run by `.ci/fuzz.sh`.
@main enum EventPatterns {
    static func main() {
        FuzzDriver.run { PatternProperties(input: $0).check() }
    }
}
