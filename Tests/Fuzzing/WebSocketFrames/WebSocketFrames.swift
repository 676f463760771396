import FuzzDriver

/// Feeds LLVM's fuzzer to ``FramingProperties``; run by `.ci/fuzz.sh`.
@main enum WebSocketFrames {
    static func main() {
        FuzzDriver.run { FramingProperties(input: $0).check() }
    }
}
