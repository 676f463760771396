import ArgumentParser

/// A span of time on the command line: a whole number with `s`, `m`, `h` or `d` behind it, seconds without.
struct TimeSpan: ExpressibleByArgument, Equatable {
    let seconds: Int

    init(seconds: Int) { self.seconds = seconds }

    /// As it is read.
    var defaultValueDescription: String { DurationText.short(seconds: seconds) }

    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        let unit = argument.last.flatMap { units[$0] }
        let digits = unit == nil ? argument[...] : argument.dropLast()
        guard digits.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }), let number = Int(digits) else { return nil }
        let (seconds, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
        guard !overflow, seconds <= Int(Int32.max) else { return nil }
        self.seconds = seconds
    }
}
