import FuzzDriver

/// Feeds LLVM's fuzzer to ``ExchangeProperties``; run by `.ci/fuzz.sh`.
@main enum ScramExchanges {
    static func main() {
        FuzzDriver.run { ExchangeProperties(input: $0).check() }
    }
}
