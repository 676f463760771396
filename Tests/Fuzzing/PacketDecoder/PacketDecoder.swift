import CLibFuzzer
import Foundation

/// Feeds LLVM's fuzzer to ``StreamProperties``; run by `.ci/fuzz.sh`.
@main enum PacketDecoder {
    static func main() {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
        let status = unsafe LLVMFuzzerRunDriver(&count, &arguments) { data, size in
            StreamProperties(bytes: unsafe Array(UnsafeBufferPointer(start: data, count: size))).check()
            return 0
        }
        exit(status)
    }
}
