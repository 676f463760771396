import FuzzDriver

/// Feeds LLVM's fuzzer to ``MappingProperties``; run by `.ci/fuzz.sh`.
@main enum MappingTemplates {
    static func main() {
        FuzzDriver.run { MappingProperties(input: $0).check() }
    }
}
