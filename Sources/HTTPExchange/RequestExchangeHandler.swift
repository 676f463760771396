import BrokerCore
package import NIOCore
package import NIOHTTP1

/// Carries out ``RequestExchange`` between the HTTP/1 coders and whoever answers requests.
///
/// Lives on the channel's event loop; not Sendable, no locks.
package final class RequestExchangeHandler: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPServerRequestPart
    package typealias InboundOut = HTTPServerRequestPart
    package typealias OutboundIn = HTTPServerResponsePart
    package typealias OutboundOut = HTTPServerResponsePart

    private var exchange: RequestExchange
    private let refusals: HTTPRefusals
    private let peer: String
    private var timer: (deadline: NIODeadline, task: Scheduled<Void>)?
    /// Method and target of the request that was read last, for the log.
    private var lastRequest: (method: HTTPMethod, target: String)?
    /// Who wants to know that the peer has gone; nil when it has.
    private var watches: [ObjectIdentifier: DepartureWatch]? = [:]

    package init(limits: HTTPListenerLimits, refusals: HTTPRefusals, peer: String) {
        exchange = RequestExchange(limits: limits, now: .now())
        self.refusals = refusals
        self.peer = peer
    }

    package func handlerAdded(context: ChannelHandlerContext) { setTimer(context) }

    package func handlerRemoved(context: ChannelHandlerContext) {
        // The loop may have taken the task up already, and then runs it all the same.
        exchange.ended()
        timer?.task.cancel()
        timer = nil
    }

    // MARK: From the peer

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let now = NIODeadline.now()
        switch unwrapInboundIn(data) {
        case .head(let head):
            switch exchange.headReceived(head, now: now) {
            case .passOn:
                lastRequest = (head.method, head.uri)
                context.fireChannelRead(data)
            case .drop: break
            case .refuse(let refusal):
                lastRequest = (head.method, head.uri)
                refuse(refusal, context)
            }
        case .body: if exchange.bodyReceived(now: now) { context.fireChannelRead(data) }
        case .end: if exchange.endReceived(now: now) { context.fireChannelRead(data) }
        }
        setTimer(context)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        peerLeft()
        context.fireChannelInactive()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is HeadBytesHandler.HeadBegan {
            exchange.headBegan(now: .now())
            return setTimer(context)
        }
        if event as? ChannelEvent == .inputClosed { peerLeft() }
        if event as? ChannelEvent == .inputClosed, !exchange.takesAnswers {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let action: RequestExchange.FaultAction
        switch error {
        case let error as HTTPParserError: action = exchange.malformed("\(error)")
        case is ByteToMessageDecoderError.PayloadTooLargeError: action = exchange.malformed("what cannot be read yet is too long")
        case let error as FirstRequestByteHandler.ForeignProtocol: action = exchange.malformed(error.reason)
        case let error as UnfinishedHeads.Full: action = exchange.noRoom(error.refusal)
        default: return context.fireErrorCaught(error)
        }
        switch action {
        case .drop: break
        case .close: context.close(promise: nil)
        case .refuse(let refusal):
            lastRequest = nil
            refuse(refusal, context)
        case .failBody(let failure): context.fireErrorCaught(failure)
        }
        setTimer(context)
    }

    // MARK: Whether the peer is there

    var peerHasLeft: Bool { watches == nil }

    func add(_ watch: DepartureWatch) {
        guard watches != nil else { return watch.gone() }
        watches?[ObjectIdentifier(watch)] = watch
    }

    func remove(_ watch: DepartureWatch) { watches?[ObjectIdentifier(watch)] = nil }

    private func peerLeft() {
        let watching = watches ?? [:]
        watches = nil
        for watch in watching.values { watch.gone() }
    }

    // MARK: From whoever answers

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard exchange.takesAnswers else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            exchange.answerBegins(&head)
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            context.write(data, promise: promise)
            switch exchange.answerEnded(now: .now()) {
            case .goOn: break
            case .linger: linger(context)
            case .refuse(let refusal): refuse(refusal, context)
            }
        }
        setTimer(context)
    }

    private func refuse(_ refusal: HTTPRefusal, _ context: ChannelHandlerContext) {
        for part in refusal.answer { context.write(wrapOutboundOut(part), promise: nil) }
        refusals.refused(
            RefusedRequest(
                method: lastRequest?.method.rawValue, target: lastRequest?.target, status: Int(refusal.status.code),
                reason: refusal.reason, peer: peer))
        exchange.refused(now: .now())
        linger(context)
    }

    /// Says that nothing more comes, and reads and drops what the peer still sends.
    ///
    /// A socket closed with unread bytes in it would take back the answer.
    private func linger(_ context: ChannelHandlerContext) {
        context.flush()
        context.close(mode: .output, promise: nil)
    }

    // MARK: Time

    private func setTimer(_ context: ChannelHandlerContext) {
        guard let deadline = exchange.deadline else { return }
        if let timer {
            if timer.deadline <= deadline { return }
            timer.task.cancel()
        }
        let task = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.timePassed(context) }
        timer = (deadline, task)
    }

    private func timePassed(_ context: ChannelHandlerContext) {
        timer = nil
        switch exchange.timePassed(now: .now()) {
        case .wait: break
        case .close: context.close(promise: nil)
        case .failBody(let failure): context.fireErrorCaught(failure)
        }
        setTimer(context)
    }
}
