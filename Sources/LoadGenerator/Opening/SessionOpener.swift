import NIOCore
import NIOSSL

/// Takes a new connection as far as an MQTT session: CONNECT, CONNACK, and a subscription when there is one to make.
///
/// Then it puts the session's own handler behind itself, leaves the pipeline, and fulfils its promise.
final class SessionOpener: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// An answer of an MQTT 3.1.1 broker to CONNECT or SUBSCRIBE is five bytes at most; one of MQTT 5 has properties.
    private var answerBytesMax: Int { version == .v311 ? 5 : 65_536 }

    private enum State {
        case awaitingConnack
        case awaitingSuback
        case done
    }

    private let request: SessionRequest
    private let connect: [UInt8]
    private let version: MQTTVersion
    private let successor: (any ChannelHandler)?
    private let opened: EventLoopPromise<OpenedSession>
    /// Tells whether TLS went on where an earlier connection ended; set before the connection is active.
    var resumption: ResumingTLSHandler?
    private var connack = Connack()
    private let timeout: TimeAmount
    private let name: String
    /// Whether TLS is on and nothing has come through it yet: what goes wrong until then is laid to TLS.
    ///
    /// In TLS 1.3 a server refuses a client certificate after the client's handshake has ended, so the end of the handshake is too early
    /// to be sure.
    private var isHandshaking: Bool
    private var timer: Scheduled<Void>?
    private var state = State.awaitingConnack
    private var received = ByteBuffer()

    /// Makes the handler of one connection.
    ///
    /// `name` is how errors call it; `usesTLS` says that a TLS handler stands before it; `successor` handles the session once it is open
    /// (`nil` leaves the bytes that follow unread).
    init(
        _ request: SessionRequest, connect: [UInt8], version: MQTTVersion, successor: (any ChannelHandler)?, name: String,
        usesTLS: Bool, timeout: TimeAmount, opened: EventLoopPromise<OpenedSession>
    ) {
        self.request = request
        self.connect = connect
        self.version = version
        self.successor = successor
        self.name = name
        isHandshaking = usesTLS
        self.timeout = timeout
        self.opened = opened
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: connect)), promise: nil)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            self.fail("no answer to \(self.awaited) in time", context: context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .done = state {
            context.fireChannelRead(data)
            return
        }
        isHandshaking = false
        var buffer = unwrapInboundIn(data)
        received.writeBuffer(&buffer)
        do throws(WireError) {
            while let frame = try PacketFrame.next(in: received.readableBytesSpan, at: 0), state != .done {
                guard let packet = received.readBytes(length: frame.end) else { return }
                receive(packet, bodyStart: frame.bodyStart, context: context)
            }
        } catch {
            finish(.failure(.connectionLost("\(name): \(error)")), context: context)
        }
        if state != .done, received.readableBytes >= answerBytesMax {
            finish(.failure(.connectionLost("\(name): what answers \(awaited) is not MQTT \(version.rawValue)")), context: context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail("closed before the answer to \(awaited)", context: context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard state != .done else {
            context.fireErrorCaught(error)
            return
        }
        if case .cannotConnect = LoadError.duringOpening(error, name: name) {
            fail("\(error)", context: context)
        } else {
            finish(.failure(.duringOpening(error, name: name)), context: context)
        }
    }

    private func fail(_ reason: String, context: ChannelHandlerContext) {
        let error: LoadError =
            isHandshaking ? .tls("\(name): TLS not established: \(reason)") : .cannotConnect("\(name): \(reason)")
        finish(.failure(error), context: context)
    }

    private var awaited: String { state == .awaitingSuback ? "SUBSCRIBE" : "CONNECT" }

    private func receive(_ packet: [UInt8], bodyStart: Int, context: ChannelHandlerContext) {
        switch state {
        case .awaitingConnack:
            guard packet[0] == 0x20, let connack = Connack(packet[bodyStart...], version: version) else {
                return finish(.failure(.connectionLost("\(name): what answers CONNECT is not a CONNACK")), context: context)
            }
            if let refusal = connack.refusal(version: version) {
                return finish(.failure(.refused("\(name): CONNECT refused, \(refusal)")), context: context)
            }
            guard connack.receiveMaximum >= request.window else {
                let most = connack.receiveMaximum
                return finish(
                    .failure(.refused("\(name): the broker takes \(most) unfinished messages (Receive Maximum); give --inflight \(most)")),
                    context: context)
            }
            self.connack = connack
            guard let subscribe = request.subscribe else { return finish(.success(()), context: context) }
            state = .awaitingSuback
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: subscribe)), promise: nil)
        case .awaitingSuback:
            guard packet[0] == 0x90, let code = packet.last, packet.count == 5 || (version == .v5 && packet.count > 5) else {
                return finish(.failure(.connectionLost("\(name): what answers SUBSCRIBE is not a SUBACK")), context: context)
            }
            guard code == request.subscribe?.last else {
                return finish(.failure(.refused("\(name): SUBSCRIBE answered with \(code)")), context: context)
            }
            finish(.success(()), context: context)
        case .done: break
        }
    }

    private func finish(_ result: Result<Void, LoadError>, context: ChannelHandlerContext) {
        guard state != .done else { return }
        state = .done
        timer?.cancel()
        switch result {
        case .success:
            do {
                let pipeline = context.pipeline.syncOperations
                if let successor { try pipeline.addHandler(successor, position: .after(self)) }
                if received.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(received)) }
                pipeline.removeHandler(self, promise: nil)
                opened.succeed(
                    OpenedSession(
                        channel: context.channel, isSessionPresent: connack.isSessionPresent, receiveMaximum: connack.receiveMaximum,
                        isResumed: resumption?.isResumed ?? false))
                resumption = nil
            } catch {
                opened.fail(error)
                context.close(promise: nil)
            }
        case .failure(let error):
            opened.fail(error)
            context.close(promise: nil)
        }
    }
}

extension SessionOpener {
    typealias InboundOut = ByteBuffer
}

extension LoadError {
    /// What an error of the network or of TLS means while a connection is opened.
    static func duringOpening(_ error: any Error, name: String) -> LoadError {
        if let error = error as? LoadError { return error }
        if error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError {
            return .tls("\(name): TLS failed: \(TLSErrorText.of(error))")
        }
        return .cannotConnect("\(name): \(error)")
    }
}
