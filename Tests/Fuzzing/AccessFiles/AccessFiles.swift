import FuzzDriver

/// Feeds LLVM's fuzzer to ``AccessProperties``; run by `.ci/fuzz.sh`.
@main enum AccessFiles {
    static func main() {
        FuzzDriver.run { AccessProperties(input: $0).check() }
    }
}
