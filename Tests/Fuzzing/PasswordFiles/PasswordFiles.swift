import FuzzDriver

/// Feeds LLVM's fuzzer to ``PasswordProperties``; run by `.ci/fuzz.sh`.
@main enum PasswordFiles {
    static func main() {
        FuzzDriver.run { PasswordProperties(text: $0).check() }
    }
}
