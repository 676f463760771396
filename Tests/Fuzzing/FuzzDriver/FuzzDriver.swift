import CLibFuzzer
import Foundation

/// Feeds LLVM's fuzzer to a check; the programs that use this are run by `.ci/fuzz.sh`.
package enum FuzzDriver {
    /// How long one input may take.
    ///
    /// In CPU time: the fuzzer's own limit counts the time in which a busy machine runs something else. `FUZZ_CPU_SECONDS` says otherwise:
    /// the address sanitizer's build takes several times as long.
    private static let cpuSecondsMax = ProcessInfo.processInfo.environment["FUZZ_CPU_SECONDS"].flatMap(Double.init) ?? 1.0

    // The fuzzer takes a function without a context; the check is set once, before the fuzzer begins, and the fuzzer has one thread.
    private nonisolated(unsafe) static var check: ([UInt8]) -> Void = { _ in }

    /// Runs the fuzzer with the process's own arguments.
    ///
    /// `check` stops the process where something does not hold, which the fuzzer reports.
    package static func run(_ check: @escaping ([UInt8]) -> Void) -> Never {
        unsafe Self.check = check
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
        let status = unsafe LLVMFuzzerRunDriver(&count, &arguments) { data, size in
            let start = FuzzDriver.cpuSeconds()
            unsafe FuzzDriver.check(Array(UnsafeBufferPointer(start: data, count: size)))
            if FuzzDriver.cpuSeconds() - start > FuzzDriver.cpuSecondsMax { fatalError("an input takes too long") }
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

/// Stops the process, which the fuzzer reports with the input, where something does not hold.
///
/// As `precondition`, but says what is wrong in an optimized build, too.
package func require(_ condition: Bool, _ message: String) {
    if !condition { refuse(message) }
}

/// Stops the process, which the fuzzer reports with the input.
package func refuse(_ message: String) -> Never {
    fatalError(message)
}
