import FuzzDriver

/// Feeds LLVM's fuzzer to ``StreamProperties``; run by `.ci/fuzz.sh`.
@main enum PacketDecoder {
    static func main() {
        FuzzDriver.run { StreamProperties(input: $0).check() }
    }
}
