import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPExchange

@Suite struct RequestExchangeTests {
    static let limits = HTTPListenerLimits(
        idleSecondsMax: 60, headSecondsMax: 10, bodySecondsMax: 30, connectionsMax: 1, headerBytesMax: 100, headersMax: 1)
    static let start = NIODeadline.uptimeNanoseconds(1_000)

    private func at(_ seconds: Int64) -> NIODeadline { Self.start + .seconds(seconds) }

    private func makeExchange(_ limits: HTTPListenerLimits = RequestExchangeTests.limits) -> Exchange { Exchange(limits: limits) }

    /// The state machine by reference, so that an expectation may change it.
    private final class Exchange {
        var machine: RequestExchange

        init(limits: HTTPListenerLimits) { machine = RequestExchange(limits: limits, now: RequestExchangeTests.start) }

        var deadline: NIODeadline? { machine.deadline }
        var takesAnswers: Bool { machine.takesAnswers }
        func head(_ head: HTTPRequestHead, _ now: NIODeadline) -> RequestExchange.HeadAction { machine.headReceived(head, now: now) }
        func body(_ now: NIODeadline) -> Bool { machine.bodyReceived(now: now) }
        func end(_ now: NIODeadline) -> Bool { machine.endReceived(now: now) }
        func malformed(_ reason: String) -> RequestExchange.FaultAction { machine.malformed(reason) }
        func time(_ now: NIODeadline) -> RequestExchange.TimeAction { machine.timePassed(now: now) }

        /// Writes one answer; answers with its `Connection` field and with what comes after.
        func answer(
            _ status: HTTPResponseStatus = .ok, headers: HTTPHeaders = [:], at now: NIODeadline
        ) -> (connection: String?, after: RequestExchange.EndAction) {
            var head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
            machine.answerBegins(&head)
            return (head.headers.first(name: "connection"), machine.answerEnded(now: now))
        }
    }

    private func head(host: String? = "x", version: HTTPVersion = .http1_1, connection: String? = nil) -> HTTPRequestHead {
        var headers = HTTPHeaders()
        if let host { headers.add(name: "Host", value: host) }
        if let connection { headers.add(name: "Connection", value: connection) }
        return HTTPRequestHead(version: version, method: .POST, uri: "/", headers: headers)
    }

    @Test func aConnectionGoesOnAfterARequestThatWasRead() {
        let exchange = makeExchange()
        #expect(exchange.head(head(), at(0)) == .passOn)
        #expect(exchange.body(at(1)))
        #expect(exchange.end(at(2)))
        #expect(exchange.deadline == nil)
        let (connection, after) = exchange.answer(at: at(100))
        #expect(connection == nil && after == .goOn)
        #expect(exchange.deadline == at(160))
        #expect(exchange.time(at(160)) == .close)
    }

    @Test func anAnswerBeforeTheEndOfTheBodyIsTheLast() {
        let exchange = makeExchange()
        #expect(exchange.head(head(), at(0)) == .passOn)
        let (connection, after) = exchange.answer(.notFound, at: at(1))
        #expect(connection == "close" && after == .linger)
        #expect(!exchange.takesAnswers)
        #expect(!exchange.body(at(1)))
        #expect(!exchange.end(at(1)))
        #expect(exchange.head(head(), at(1)) == .drop)
        #expect(exchange.deadline == at(1 + RequestExchange.lingerSecondsMax))
        #expect(exchange.malformed("x") == .close)
        #expect(exchange.deadline == nil)
    }

    @Test func aConnectionOnWhichNoHeadComesIsClosedBeforeItCountsAsIdle() {
        let exchange = makeExchange()
        #expect(exchange.deadline == at(10))
        // Pieces of it change nothing.
        exchange.machine.headBegan(now: at(9))
        #expect(exchange.time(at(9)) == .wait)
        #expect(exchange.time(at(10)) == .close)
    }

    @Test func aLaterHeadHasItsTimeFromItsFirstBytes() {
        let exchange = makeExchange()
        #expect(exchange.head(head(), at(0)) == .passOn)
        #expect(exchange.end(at(0)))
        #expect(exchange.answer(at: at(1)).after == .goOn)
        #expect(exchange.deadline == at(61))
        exchange.machine.headBegan(now: at(30))
        #expect(exchange.deadline == at(40))
        #expect(exchange.head(head(), at(39)) == .passOn)
        #expect(exchange.end(at(39)))
        #expect(exchange.answer(at: at(39)).after == .goOn)
        #expect(exchange.deadline == at(99))
    }

    /// A deadline that stays when it has passed is set again at once, and the event loop does nothing else any more.
    @Test(arguments: [false, true]) func nothingIsWaitedForOnceTheConnectionIsToBeClosed(isIdle: Bool) {
        let exchange = makeExchange()
        if !isIdle {
            #expect(exchange.head(head(), at(0)) == .passOn)
            #expect(exchange.answer(.notFound, at: at(1)).after == .linger)
        }
        #expect(exchange.time(at(100)) == .close)
        #expect(exchange.deadline == nil)
        #expect(exchange.time(at(101)) == .wait)
        #expect(exchange.head(head(), at(101)) == .drop)
        #expect(exchange.malformed("x") == .drop)
        #expect(!exchange.takesAnswers)
    }

    /// What the loop has taken up to run in this turn runs also when it is cancelled.
    @Test func aTimerThatComesAfterTheEndSetsNoOther() {
        let exchange = makeExchange()
        exchange.machine.ended()
        #expect(exchange.time(at(100)) == .wait)
        #expect(exchange.deadline == nil)
    }

    @Test func anAnswerToAnEarlierRequestIsNotTheLast() {
        let exchange = makeExchange()
        #expect(exchange.head(head(), at(0)) == .passOn)
        #expect(exchange.end(at(0)))
        #expect(exchange.head(head(), at(0)) == .passOn)
        let (connection, after) = exchange.answer(at: at(1))
        #expect(connection == nil && after == .goOn)
        #expect(exchange.answer(at: at(2)).after == .linger)
    }

    @Test(arguments: [0, 29]) func aBodyThatIsNotCompleteInTimeFails(lastPiece: Int64) {
        let exchange = makeExchange()
        #expect(exchange.head(head(), at(0)) == .passOn)
        #expect(exchange.body(at(lastPiece)))
        #expect(exchange.deadline == at(30))
        #expect(exchange.time(at(29)) == .wait)
        #expect(exchange.time(at(30)) == .failBody(.tooSlow))
        #expect(!exchange.body(at(31)))
        #expect(!exchange.end(at(31)))
        #expect(exchange.deadline == nil)
        let (connection, after) = exchange.answer(.requestTimeout, at: at(32))
        #expect(connection == "close" && after == .linger)
    }

    @Test func aBodyThatIsIdleForTooLongFailsBeforeTheConnectionIsClosed() {
        var limits = Self.limits
        limits.bodySecondsMax = 1_000
        let exchange = makeExchange(limits)
        #expect(exchange.head(head(), at(0)) == .passOn)
        #expect(exchange.deadline == at(60))
        #expect(exchange.time(at(60)) == .failBody(.tooSlow))
    }

    @Test func aRequestWithoutHostIsRefusedAfterTheAnswersBeforeIt() {
        let exchange = makeExchange()
        #expect(exchange.head(head(), at(0)) == .passOn)
        #expect(exchange.end(at(0)))
        #expect(exchange.head(head(host: nil), at(0)) == .drop)
        #expect(!exchange.end(at(0)))
        #expect(exchange.head(head(), at(0)) == .drop)
        guard case .refuse(let refusal) = exchange.answer(at: at(1)).after else {
            Issue.record("the refusal is missing")
            return
        }
        #expect(refusal.status == .badRequest)
        exchange.machine.refused(now: at(1))
        #expect(!exchange.takesAnswers)
    }

    @Test func whatIsNoHTTPIsRefusedOnce() {
        let exchange = makeExchange()
        guard case .refuse(let refusal) = exchange.malformed("invalid method") else {
            Issue.record("no refusal")
            return
        }
        #expect(refusal == HTTPRefusal(.badRequest, "the request is malformed: invalid method"))
        exchange.machine.refused(now: at(0))
        #expect(exchange.malformed("again") == .close)
    }

    @Test func aBodyThatIsNoHTTPFailsForItsReaderOnly() {
        let exchange = makeExchange()
        #expect(exchange.head(head(), at(0)) == .passOn)
        #expect(exchange.malformed("invalid chunk size") == .failBody(.malformed("invalid chunk size")))
        #expect(exchange.malformed("again") == .drop)
        let (connection, after) = exchange.answer(.badRequest, at: at(0))
        #expect(connection == "close" && after == .linger)
    }

    @Test(arguments: [(HTTPVersion.http1_1, "close"), (.http1_0, nil)] as [(HTTPVersion, String?)])
    func aRequestThatAsksForItIsTheLast(version: HTTPVersion, connection: String?) {
        let exchange = makeExchange()
        #expect(exchange.head(head(version: version, connection: connection), at(0)) == .passOn)
        #expect(exchange.end(at(0)))
        #expect(exchange.head(head(), at(0)) == .drop)
        #expect(exchange.answer(at: at(0)).after == .linger)
    }

    /// The decoder reads nothing behind such a request, so that nothing could be answered either.
    @Test func aRequestForAnotherProtocolIsTheLast() {
        let exchange = makeExchange()
        var upgrade = head()
        upgrade.headers.add(name: "Upgrade", value: "h2c")
        #expect(exchange.head(upgrade, at(0)) == .passOn)
        #expect(exchange.end(at(0)))
        #expect(exchange.answer(at: at(0)).after == .linger)
    }

    @Test func aTargetThatIsLongerThanTheHeaderMayBeIsRefused() {
        var long = head()
        long.uri = "/" + String(repeating: "a", count: Self.limits.headerBytesMax)
        guard case .refuse(let refusal) = makeExchange().head(long, at(0)) else {
            Issue.record("it is taken")
            return
        }
        #expect(refusal.status == .uriTooLong)
    }

    @Test func anAnswerThatSaysSoIsTheLast() {
        let exchange = makeExchange()
        #expect(exchange.head(head(), at(0)) == .passOn)
        #expect(exchange.end(at(0)))
        #expect(exchange.answer(headers: ["connection": "Close"], at: at(0)).after == .linger)
    }
}
