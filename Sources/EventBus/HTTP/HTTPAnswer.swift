import Rules

/// An HTTP answer that is no success, or the lack of one.
struct FailedCall: Sendable, Equatable {
    enum Reason: Sendable, Equatable {
        case status(Int)
        case function(String)
        case none(HTTPFailure)
    }

    let reason: Reason
    private let kind: HTTPInvocation.Kind
    /// What the target asked for.
    private var wish = RetryAfter.nothing

    /// `nil` for a success.
    ///
    /// - Parameters:
    ///   - outcome: what came of the call.
    ///   - kind: how the answer is read.
    ///   - now: milliseconds since 1970.
    init?(_ outcome: HTTPOutcome, kind: HTTPInvocation.Kind, now: Int64) {
        self.kind = kind
        switch outcome {
        case .answered(_, _, let error?) where kind == .function: reason = .function(String(error.prefix(64)))
        case .answered(200..<300, _, _): return nil
        case .answered(let status, let retryAfter, _):
            reason = .status(status)
            if let retryAfter { wish = RetryAfter(retryAfter, now: now) }
        case .failed(let failure): reason = .none(failure)
        }
    }

    var retry: RetryAdvice {
        switch (reason, wish) {
        // Those that EventBridge tries again for an API destination; a target that asks for less than no time wants no other attempt.
        case (.status(401), .stop), (.status(407), .stop), (.status(409), .stop), (.status(429), .stop), (.status(500...), .stop): .never
        case (.status(401), _), (.status(407), _), (.status(409), _), (.status(429), _), (.status(500...), _):
            .later(afterMilliseconds: wish.milliseconds)
        // A runtime emulator answers so while its one function is at work.
        case (.status(400), _) where kind == .function: .later()
        case (.status, _): .never
        case (.function, _): .rerun
        // A function that takes longer than one may has failed.
        case (.none(.timedOut), _) where kind == .function: .rerun
        case (.none(.timedOut), _), (.none(.unreachable), _): .later()
        case (.none(.denied), _), (.none(.invalid), _): .never
        }
    }

    var code: String {
        switch reason {
        case .status(429): "THROTTLING"
        case .status(401), .status(403), .status(407), .none(.denied): "NO_PERMISSIONS"
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

/// What a `Retry-After` asks for: seconds, or a date as RFC 9110 has senders write it.
enum RetryAfter: Sendable, Equatable {
    /// Less than no time, which EventBridge reads as the wish to be left alone.
    case stop
    case wait(milliseconds: Int64)
    /// Neither seconds nor a date.
    case nothing

    /// Longer than any event is kept.
    private static let secondsMax: Int64 = 1_000_000

    /// - Parameters:
    ///   - text: the field's value.
    ///   - now: milliseconds since 1970.
    init(_ text: String, now: Int64) {
        if let seconds = Int64(text) {
            self = seconds < 0 ? .stop : .wait(milliseconds: min(seconds, Self.secondsMax) * 1_000)
        } else if let date = Self.date(text) {
            self = .wait(milliseconds: min(max(0, date - now), Self.secondsMax * 1_000))
        } else {
            self = .nothing
        }
    }

    var milliseconds: Int64? { if case .wait(let milliseconds) = self { milliseconds } else { nil } }

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
