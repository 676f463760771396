import BrokerCore
import HTTPExchange
import NIOCore
import NIOHTTP1

/// Looks at the request that is to open a WebSocket connection: refuses it in words, or lets it through to NIO's handler of upgrades.
///
/// Stands behind ``RequestExchangeHandler``, which ends the connection after a refusal.
final class WebSocketRequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let front: WebSocketFront
    private let peer: String
    private let deadline: Instant
    private var timeout: Scheduled<Void>?
    private var head: HTTPRequestHead?
    /// Who signed the request; `nil` for one that nobody signed.
    private(set) var signer: RequestSigner?
    /// The request was refused, or let through and followed.
    private var isOver = false

    /// - Parameters:
    ///   - front: the listener's part in it.
    ///   - peer: `address:port`.
    ///   - deadline: when the request must be complete.
    init(front: WebSocketFront, peer: String, deadline: Instant) {
        self.front = front
        self.peer = peer
        self.deadline = deadline
    }

    func handlerAdded(context: ChannelHandlerContext) {
        timeout = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline.deadline) {
            self.timeout = nil
            let text = "the request was not complete within \(self.front.connectSecondsMax) s (connectSecondsMax)"
            self.refuse(HTTPRefusal(.requestTimeout, text), context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        // The loop may have taken the task up already, and then runs it all the same.
        isOver = true
        timeout?.cancel()
        timeout = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isOver { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            do throws(HTTPRefusal) {
                _ = try front.check(head)
                signer = try RequestSigner(of: head, by: front.signatures)
                context.fireChannelRead(data)
            } catch {
                refuse(error, context)
            }
        case .body: refuse(HTTPRefusal(.badRequest, "a request that opens a WebSocket connection has no body"), context)
        case .end: context.fireChannelRead(data)
        }
    }

    private func refuse(_ refusal: HTTPRefusal, _ context: ChannelHandlerContext) {
        if isOver { return }
        isOver = true
        timeout?.cancel()
        front.refusals.refused(
            RefusedRequest(
                method: head?.method.rawValue, target: head?.uri, status: Int(refusal.status.code), reason: refusal.reason, peer: peer))
        for part in refusal.answer { context.write(wrapOutboundOut(part), promise: nil) }
        context.flush()
    }
}
