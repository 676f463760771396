import CLibFuzzer
import Foundation

/// Feeds LLVM's fuzzer to ``StreamProperties``; run by `.ci/fuzz.sh`.
@main enum PacketDecoder {
    /// How long one input may take.
    ///
    /// In CPU time: the fuzzer's own limit counts the time in which a busy machine runs something else.
    private static let cpuSecondsMax = 1.0

    static func main() {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
        let status = unsafe LLVMFuzzerRunDriver(&count, &arguments) { data, size in
            let start = PacketDecoder.cpuSeconds()
            StreamProperties(input: unsafe Array(UnsafeBufferPointer(start: data, count: size))).check()
            if PacketDecoder.cpuSeconds() - start > PacketDecoder.cpuSecondsMax { fatalError("an input takes too long") }
            return 0
        }
        exit(status)
    }

    private static func cpuSeconds() -> Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
