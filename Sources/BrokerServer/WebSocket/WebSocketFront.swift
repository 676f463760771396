import BrokerCore
import HTTPExchange
import NIOCore
import NIOHTTP1
import NIOWebSocket
import Trust

/// What a listener does with connections that are to become WebSocket connections; the same for all of them.
struct WebSocketFront: Sendable {
    /// What one frame may have beyond a packet: room for small packets that are sent with a large one.
    static let frameBytesBeyondPacketMax = 1_024
    /// Header bytes and fields of the opening request: AWS's SDKs put a signature into the target, browsers send the page's cookies.
    static let headerBytesMax = 16 << 10
    static let headersMax = 100

    let webSocket: WebSocketListener
    let origins: OriginRule
    /// Checks the signatures of opening requests; `nil` where they are not looked at.
    let signatures: SignatureVerifier?
    let refusals: HTTPRefusals
    private let limits: LimitsInForce

    init(_ webSocket: WebSocketListener, of listener: Listener, limits: LimitsInForce, refusals: HTTPRefusals) {
        signatures = listener.signatures
        self.webSocket = webSocket
        self.refusals = refusals
        origins = OriginRule(allowed: webSocket.origins, boundTo: listener.host)
        self.limits = limits
    }

    var connectSecondsMax: Int { limits.current.connectSecondsMax }
    var packetBytesMax: Int { limits.current.packetBytesMax }

    // Limits may be any number.
    private var frameBytesMax: Int { min(packetBytesMax, .max - Self.frameBytesBeyondPacketMax) + Self.frameBytesBeyondPacketMax }
    private var requestSecondsMax: Int { min(connectSecondsMax, .max / 2) * 2 }

    func check(_ head: HTTPRequestHead) throws(HTTPRefusal) -> WebSocketRequest {
        try WebSocketRequest(head, path: webSocket.path, origins: origins)
    }

    /// Puts HTTP into the pipeline of a connection on which nothing was read, and the way from there to MQTT.
    func begin(_ connection: AcceptedConnection, principal: String?, isTLS: Bool) throws {
        let limits = HTTPListenerLimits(
            // The request's own deadline comes first.
            idleSecondsMax: requestSecondsMax, headSecondsMax: requestSecondsMax, bodySecondsMax: requestSecondsMax,
            connectionsMax: .max, headerBytesMax: Self.headerBytesMax, headersMax: Self.headersMax)
        let coders = RequestCoders(limits: limits)
        let exchange = RequestExchangeHandler(limits: limits, refusals: refusals, peer: connection.peer)
        let bytes = RequestBytesHandler(driver: connection.driver, info: connection.info(principal: principal))
        let pipeline = connection.channel.pipeline.syncOperations
        try pipeline.addHandler(bytes)
        try coders.add(to: pipeline)
        try pipeline.addHandler(exchange)
        try wait(for: connection, principal: principal, isTLS: isTLS, behind: coders, exchange, bytes)
    }

    /// Puts what waits for the opening request behind the handlers of HTTP that are there.
    func wait(
        for connection: AcceptedConnection, principal: String?, isTLS: Bool, behind coders: RequestCoders,
        _ exchange: RequestExchangeHandler, _ bytes: RequestBytesHandler? = nil
    ) throws {
        let deadline = connection.openedAt.advanced(bySeconds: Double(connectSecondsMax))
        let request = WebSocketRequestHandler(front: self, peer: connection.peer, deadline: deadline)
        let upgrader = WebSocketUpgrader(front: self) { pipeline in
            let webSocket = WebSocketHandler(frameBytesMax: frameBytesMax, isTLS: isTLS)
            let mqtt = connection.mqttHandler(principal: principal, signer: request.signer, isPlain: false, over: webSocket)
            try pipeline.addHandlers([webSocket, mqtt])
        }
        let upgrade = HTTPServerUpgradeHandler(
            // The decoder last: it passes on what it has read beyond the request, which is no HTTP any more.
            upgraders: [upgrader], httpEncoder: coders.encoder,
            extraHTTPHandlers: [exchange, request] + [bytes].compactMap(\.self) + [coders.decoder],
            upgradeCompletionHandler: { _ in })
        try connection.channel.pipeline.syncOperations.addHandlers([request, upgrade])
    }
}

/// Carries out the upgrade of a request that was found good; the handshake's arithmetic is NIO's.
private final class WebSocketUpgrader: HTTPServerProtocolUpgrader {
    let supportedProtocol = "websocket"
    /// The request was looked at before.
    let requiredUpgradeHeaders: [String] = []

    private let handshake: NIOWebSocketServerUpgrader
    private let serve: (ChannelPipeline.SynchronousOperations) throws -> Void

    init(front: WebSocketFront, serve: @escaping (ChannelPipeline.SynchronousOperations) throws -> Void) {
        self.serve = serve
        handshake = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, head in
                let subprotocol = try? front.check(head).subprotocol
                return channel.eventLoop.makeSucceededFuture(subprotocol.map { ["sec-websocket-protocol": $0] })
            },
            // Frames are read and written by ``WebSocketHandler``.
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
    }

    func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        handshake.buildUpgradeResponse(channel: channel, upgradeRequest: upgradeRequest, initialResponseHeaders: initialResponseHeaders)
    }

    func upgrade(context: ChannelHandlerContext, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<Void> {
        context.eventLoop.makeCompletedFuture { try serve(context.pipeline.syncOperations) }
    }
}
