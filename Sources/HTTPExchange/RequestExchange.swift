import NIOCore
import NIOHTTP1

/// Decides, on one connection, which requests are passed on and when the connection ends.
///
/// Requests may be pipelined; their answers are written in order by whoever they are passed on to. What this holds to:
///
/// - A request that breaks HTTP is answered 400 after the answers before it, once, and nothing after it is read.
/// - A head has its time, the first one from the opening of the connection, whether anything comes or not. When that is over the connection
///   is closed: who asks for nothing must not keep the place of somebody who does.
/// - A body has its time. When that is over its reader learns it, and has the word: 408.
/// - An answer that is given before the request's end is the connection's last. What still comes is dropped for a while, so that the peer
///   gets to read the answer, and then the connection is closed (RFC 9112, section 9.6).
struct RequestExchange: ~Copyable {
    /// How long a peer may take to read the last answer and to close.
    static let lingerSecondsMax: Int64 = 2

    let limits: HTTPListenerLimits

    private enum Phase {
        case serving
        /// No more requests are taken; `refusal` is the answer to the last one, if it was none of HTTP.
        case finishing(refusal: HTTPRefusal?)
        /// The last answer is written.
        case lingering(until: NIODeadline)
        /// The transport is closed, or about to be: nothing is waited for.
        case closed
    }

    private enum Body {
        /// No request is being read.
        case none
        case arriving(until: NIODeadline)
        /// The rest is dropped; its reader knows.
        case failed
    }

    private var phase = Phase.serving
    private var body = Body.none
    /// Requests passed on whose answers are not complete.
    private var unanswered = 0
    /// The answer being written is the last.
    private var isLastAnswer = false
    private var lastActive: NIODeadline
    /// When the head that is awaited or has begun must be complete; `nil` between requests.
    private var headLimit: NIODeadline?

    init(limits: HTTPListenerLimits, now: NIODeadline) {
        self.limits = limits
        lastActive = now
        headLimit = now + .seconds(Int64(limits.headSecondsMax))
    }

    // MARK: What the peer sends

    /// Bytes of a head have come, and not all of it.
    mutating func headBegan(now: NIODeadline) {
        if headLimit == nil { headLimit = now + .seconds(Int64(limits.headSecondsMax)) }
    }

    enum HeadAction: Equatable {
        case passOn, drop
        case refuse(HTTPRefusal)
    }

    mutating func headReceived(_ head: HTTPRequestHead, now: NIODeadline) -> HeadAction {
        headLimit = nil
        guard case .serving = phase else { return .drop }
        lastActive = now
        if let refusal = refusal(of: head) { return finish(refusing: refusal) ?? .drop }
        // Behind what asks for another protocol the decoder reads no further request.
        if !head.isKeepAlive || head.method == .CONNECT || head.headers.contains(name: "upgrade") { phase = .finishing(refusal: nil) }
        unanswered += 1
        body = .arriving(until: now + .seconds(Int64(limits.bodySecondsMax)))
        return .passOn
    }

    private func refusal(of head: HTTPRequestHead) -> HTTPRefusal? {
        if head.uri.utf8.count > limits.headerBytesMax {
            return HTTPRefusal(.uriTooLong, "the request's target is longer than \(limits.headerBytesMax) bytes")
        }
        // RFC 9112, section 3.2. Behind this guard a character of the target is a byte: no mark is combined with a `/` or a `?`.
        guard head.uri.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return HTTPRefusal(.badRequest, "the request's target has a byte that is no printable ASCII; write it as %XX")
        }
        if let fault = HostField.fault(in: head) { return HTTPRefusal(.badRequest, fault) }
        return TransferCodings.refusal(of: head)
    }

    /// Whether a piece of the body is passed on.
    mutating func bodyReceived(now: NIODeadline) -> Bool {
        lastActive = now
        if case .arriving = body { return true }
        return false
    }

    /// Whether the end of the body is passed on.
    mutating func endReceived(now: NIODeadline) -> Bool {
        guard bodyReceived(now: now) else { return false }
        body = .none
        return true
    }

    enum FaultAction: Equatable {
        case drop, close
        case refuse(HTTPRefusal)
        /// For the reader of the body.
        case failBody(RequestBodyFailure)
    }

    /// What the peer sent is no HTTP, or ended where it must not.
    mutating func malformed(_ reason: String) -> FaultAction {
        switch (phase, body) {
        case (.closed, _): return .drop
        case (.lingering, _):
            ended()
            return .close
        case (_, .arriving):
            body = .failed
            return .failBody(.malformed(reason))
        case (_, .failed), (.finishing, _): return .drop
        case (.serving, .none):
            switch finish(refusing: HTTPRefusal(.badRequest, "the request is malformed: \(reason)")) {
            case .refuse(let refusal): return .refuse(refusal)
            default: return .drop
            }
        }
    }

    /// There is no room for more of a request's head, of which nothing is read from here on.
    mutating func noRoom(_ refusal: HTTPRefusal) -> FaultAction {
        guard case (.serving, .none) = (phase, body) else { return .drop }
        if case .refuse(let refusal) = finish(refusing: refusal) { return .refuse(refusal) }
        return .drop
    }

    /// Takes no more requests; answers with the refusal when it can be written at once.
    private mutating func finish(refusing refusal: HTTPRefusal) -> HeadAction? {
        if unanswered > 0 {
            phase = .finishing(refusal: refusal)
            return nil
        }
        phase = .finishing(refusal: nil)
        return .refuse(refusal)
    }

    // MARK: What is answered

    /// Whether an answer is still written; after the last one none is.
    var takesAnswers: Bool {
        switch phase {
        case .serving, .finishing: true
        case .lingering, .closed: false
        }
    }

    /// An answer's head is about to be written, and may be made the last one's.
    mutating func answerBegins(_ head: inout HTTPResponseHead) {
        if head.status.code < 200 { return }
        let isEarly = unanswered == 1 && isReading
        let isLastRequest = if case .finishing(refusal: nil) = phase { unanswered == 1 } else { false }
        isLastAnswer = isEarly || isLastRequest || head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "close" }
        if isLastAnswer { head.headers.replaceOrAdd(name: "connection", value: "close") }
    }

    /// Whether the request that came last has not come to its end.
    private var isReading: Bool { if case .none = body { false } else { true } }

    enum EndAction: Equatable {
        case goOn
        /// Ends the connection, letting the peer read first.
        case linger
        case refuse(HTTPRefusal)
    }

    mutating func answerEnded(now: NIODeadline) -> EndAction {
        unanswered = max(0, unanswered - 1)
        lastActive = now
        if isLastAnswer { return linger(now: now) }
        if unanswered == 0, case .finishing(let refusal?) = phase { return .refuse(refusal) }
        return .goOn
    }

    /// The refusal that was asked for is written.
    mutating func refused(now: NIODeadline) { _ = linger(now: now) }

    private mutating func linger(now: NIODeadline) -> EndAction {
        phase = .lingering(until: now + .seconds(Self.lingerSecondsMax))
        body = .failed
        return .linger
    }

    // MARK: Time

    enum TimeAction: Equatable {
        case wait, close
        case failBody(RequestBodyFailure)
    }

    /// When ``timePassed(now:)`` is to be called; `nil` while nothing is waited for.
    var deadline: NIODeadline? {
        let idle = lastActive + .seconds(Int64(limits.idleSecondsMax))
        switch (phase, body) {
        case (.closed, _): return nil
        case (.lingering(let limit), _): return limit
        case (_, .arriving(let limit)): return isLastAnswer ? nil : min(limit, idle)
        case (_, .failed): return nil
        case (_, .none): return unanswered == 0 ? min(idle, headLimit ?? idle) : nil
        }
    }

    mutating func timePassed(now: NIODeadline) -> TimeAction {
        guard let deadline, deadline <= now else { return .wait }
        if case .arriving = body {
            body = .failed
            return .failBody(.tooSlow)
        }
        ended()
        return .close
    }

    /// The transport was closed, or is somebody else's now.
    ///
    /// From here on there is no deadline. One that has passed and stays is set again, and passes again, without end.
    mutating func ended() {
        phase = .closed
        body = .failed
    }
}
