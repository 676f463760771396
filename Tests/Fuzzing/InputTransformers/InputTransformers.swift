import FuzzDriver

/// Feeds LLVM's fuzzer to ``TransformerProperties``; run by `.ci/fuzz.sh`.
@main enum InputTransformers {
    static func main() {
        FuzzDriver.run { TransformerProperties(input: $0).check() }
    }
}
