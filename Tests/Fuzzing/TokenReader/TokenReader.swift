import FuzzDriver

/// Feeds LLVM's fuzzer to ``TokenProperties``; run by `.ci/fuzz.sh`.
@main enum TokenReader {
    static func main() {
        FuzzDriver.run { TokenProperties(input: $0).check() }
    }
}
