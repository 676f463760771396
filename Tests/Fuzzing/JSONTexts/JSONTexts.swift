import FuzzDriver

/// Feeds LLVM's fuzzer to ``JSONProperties``; run by `.ci/fuzz.sh`.
@main enum JSONTexts {
    static func main() {
        FuzzDriver.run { JSONProperties(text: $0).check() }
    }
}
