import FuzzDriver

/// Feeds LLVM's fuzzer to ``RequestProperties``; run by `.ci/fuzz.sh`.
@main enum SignedRequests {
    static func main() {
        FuzzDriver.run { RequestProperties(input: $0).check() }
    }
}
