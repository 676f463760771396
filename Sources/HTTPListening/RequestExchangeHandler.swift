import BrokerCore
import NIOCore
import NIOHTTP1

/// Carries out ``RequestExchange`` between the HTTP/1 coders and whoever answers requests.
///
/// Lives on the channel's event loop; not Sendable, no locks.
final class RequestExchangeHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private var exchange: RequestExchange
    private let refusals: HTTPRefusals
    private let peer: String
    private var timer: (deadline: NIODeadline, task: Scheduled<Void>)?
    /// Method and target of the request that was read last, for the log.
    private var lastRequest: (method: HTTPMethod, target: String)?

    init(limits: HTTPListenerLimits, refusals: HTTPRefusals, peer: String) {
        exchange = RequestExchange(limits: limits, now: .now())
        self.refusals = refusals
        self.peer = peer
    }

    func handlerAdded(context: ChannelHandlerContext) { setTimer(context) }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.task.cancel()
        timer = nil
    }

    // MARK: From the peer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
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

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed, !exchange.takesAnswers {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        switch exchange.malformed("\(error)") {
        case .drop: break
        case .close: context.close(promise: nil)
        case .refuse(let refusal):
            lastRequest = nil
            refuse(refusal, context)
        case .failBody(let failure): context.fireErrorCaught(failure)
        }
        setTimer(context)
    }

    // MARK: From whoever answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
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
        let body = ByteBuffer(string: refusal.reason + "\n")
        let headers: HTTPHeaders = [
            "content-type": "text/plain; charset=utf-8", "content-length": "\(body.readableBytes)", "connection": "close",
            "x-content-type-options": "nosniff",
        ]
        let head = HTTPResponseHead(version: .http1_1, status: refusal.status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.write(wrapOutboundOut(.end(nil)), promise: nil)
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
