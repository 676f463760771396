import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// An HTTP server on loopback that behaves as a request's path says.
final class TargetServer: Sendable {
    let port: Int
    private let channel: any Channel
    private let seen: Requests
    private let connections: Connections

    /// What came in, as `METHOD target`.
    final class Requests: Sendable {
        private let stored = Mutex<[String]>([])
        var all: [String] { stored.withLock { $0 } }
        func append(_ text: String) { stored.withLock { $0.append(text) } }
    }

    var requests: [String] { seen.all }

    // With TLS for HTTPS; a deaf one reads nothing behind the first request of a connection, also not the end of TLS.
    init(tls: NIOSSLContext? = nil, isDeaf: Bool = false) async throws {
        let seen = Requests()
        let connections = Connections()
        (self.seen, self.connections) = (seen, connections)
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    connections.add(channel)
                    if isDeaf { try channel.pipeline.syncOperations.addHandler(Deafness()) }
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Behaviour(seen: seen))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    func close() async { try? await channel.close() }

    /// Closes the connections of a deaf server, without waiting for anybody.
    func hangUp() { connections.closeAll() }
}

private final class Connections: Sendable {
    private let channels = Mutex<[any Channel]>([])

    func add(_ channel: any Channel) { channels.withLock { $0.append(channel) } }

    func closeAll() {
        for channel in channels.withLock({ $0 }) {
            // From below TLS, which would wait for the other side.
            channel.eventLoop.execute {
                let below = try? channel.pipeline.syncOperations.context(handlerType: Deafness.self)
                below?.close(promise: nil)
            }
        }
    }
}

/// Below TLS: what comes after the first answer is thrown away.
private final class Deafness: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    var isDeaf = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !isDeaf { context.fireChannelRead(data) }
    }
}

private final class Behaviour: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let seen: TargetServer.Requests
    private var head: HTTPRequestHead?
    private var body = ""

    init(seen: TargetServer.Requests) { self.seen = seen }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): (self.head, body) = (head, "")
        case .body(let part): body += String(buffer: part)
        case .end:
            answer(context)
            (try? context.pipeline.syncOperations.handler(type: Deafness.self))?.isDeaf = true
        }
    }

    /// Past the encoder, which knows only what there is in HTTP.
    private func answer(_ context: ChannelHandlerContext, bytes: String) {
        let encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
        encoder?.writeAndFlush(NIOAny(ByteBuffer(string: bytes)), promise: nil)
    }

    private func answer(_ context: ChannelHandlerContext, _ status: HTTPResponseStatus = .ok, with body: String) {
        let headers = HTTPHeaders([("content-length", "\(body.utf8.count)")])
        context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    private func answer(_ context: ChannelHandlerContext) {
        guard let head else { return }
        seen.append("\(head.method.rawValue) \(head.uri) \(head.headers["host"].first ?? "") \(head.headers["x-key"].first ?? "-") \(body)")
        var headers = HTTPHeaders([("content-length", "0")])
        var status = HTTPResponseStatus.ok
        switch head.uri {
        case "/busy": (status, headers) = (.tooManyRequests, ["content-length": "0", "retry-after": "7"])
        case "/moved": (status, headers) = (.found, ["content-length": "0", "location": "/elsewhere"])
        case "/function": headers = ["content-length": "0", "x-amz-function-error": "Unhandled"]
        case "/hang": return
        case "/slow":
            context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(2_500)) { self.answer(context, with: "null") }
            return
        case "/failed": return answer(context, with: #"{"errorMessage":"no milk","errorType":"ValueError","stackTrace":[]}"#)
        case "/exited": return answer(context, .badGateway, with: #"{"errorMessage":"exit status 1","errorType":"Runtime.ExitError"}"#)
        case "/overtime": return answer(context, with: "Task timed out after 3.00 seconds")
        case "/endless": headers = ["content-length": "1000000"]
        case "/break": return context.close(promise: nil)
        case "/000", "/099": return answer(context, bytes: "HTTP/1.1 \(head.uri.dropFirst()) X\r\nContent-Length: 0\r\n\r\n")
        default: break
        }
        context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
        guard head.uri != "/endless" else { return context.flush() }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
