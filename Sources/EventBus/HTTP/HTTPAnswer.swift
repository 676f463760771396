import Rules

/// An HTTP answer that is no success, or the lack of one.
struct FailedCall: Sendable, Equatable {
    enum Reason: Sendable, Equatable {
        case status(Int)
        case function(String)
        case none(HTTPFailure)
    }

    let reason: Reason
    /// Whether trying again may help where the status alone says that it does not.
    private var isBusy = false
    /// What the target asked for.
    var retryAfterMilliseconds: Int64?

    /// `nil` for a success.
    ///
    /// - Parameters:
    ///   - outcome: what came of the call.
    ///   - kind: how the answer is read.
    ///   - now: milliseconds since 1970.
    init?(_ outcome: HTTPOutcome, kind: HTTPInvocation.Kind, now: Int64) {
        switch outcome {
        case .answered(_, _, let error?) where kind == .function: reason = .function(String(error.prefix(64)))
        case .answered(200..<300, _, _): return nil
        case .answered(let status, let retryAfter, _):
            reason = .status(status)
            // A runtime emulator answers so while its one function is at work.
            isBusy = kind == .function && status == 400
            retryAfterMilliseconds = retryAfter.flatMap { RetryAfter.milliseconds($0, now: now) }
        case .failed(let failure): reason = .none(failure)
        }
    }

    var retry: RetryAdvice {
        switch reason {
        case .status(408), .status(429), .status(500...): .later(afterMilliseconds: retryAfterMilliseconds)
        case .status: isBusy ? .later() : .never
        // A function that failed may do better the next time; the service tries it again, too.
        case .function, .none(.timedOut), .none(.unreachable): .later()
        case .none(.denied), .none(.invalid): .never
        }
    }

    var code: String {
        switch reason {
        case .status(429): "THROTTLING"
        case .status(401), .status(403), .none(.denied): "NO_PERMISSIONS"
        case .status(404), .status(410): "NO_RESOURCE"
        case .status(408), .none(.timedOut): "TIMEOUT"
        case .status, .none: "SDK_CLIENT_ERROR"
        case .function: "FUNCTION_ERROR"
        }
    }

    var message: String {
        switch reason {
        case .status(let status): "HTTP status \(status)"
        case .function(let error): "the function failed: \(error)"
        case .none(.timedOut(let seconds)): "no answer within \(seconds) seconds"
        case .none(.unreachable(let why)): "no connection: \(why)"
        case .none(.denied(let why)), .none(.invalid(let why)): why
        }
    }
}

/// Reads `Retry-After`: seconds, or a date as RFC 9110 has senders write it.
enum RetryAfter {
    /// Longer than any event is kept.
    private static let secondsMax: Int64 = 1_000_000

    /// How long to wait from `now`; `nil` for what is neither.
    static func milliseconds(_ text: String, now: Int64) -> Int64? {
        if let seconds = Int64(text), seconds >= 0 { return min(seconds, secondsMax) * 1_000 }
        return date(text).map { min(max(0, $0 - now), secondsMax * 1_000) }
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, in milliseconds since 1970.
    private static func date(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int64(parts[1]), let year = Int64(parts[3]), (1...31).contains(day),
            (1_970...9_999).contains(year), let month = months.firstIndex(of: String(parts[2]))
        else { return nil }
        let clock = parts[4].split(separator: ":").compactMap { Int64($0) }
        guard clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]), (0...60).contains(clock[2]) else { return nil }
        var time = CivilTime(year: year, month: Int64(month + 1), day: day)
        (time.hour, time.minute, time.second) = (clock[0], clock[1], clock[2])
        return time.milliseconds
    }
}
