import NIOCore
import NIOSSL

/// Takes a new connection as far as an MQTT session: CONNECT, CONNACK, and a subscription when there is one to make.
///
/// Then it puts the session's own handler behind itself, leaves the pipeline, and fulfils its promise.
final class SessionOpener: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// An answer of a broker to CONNECT or SUBSCRIBE is five bytes at most.
    private static let answerBytesMax = 5

    private enum State {
        case awaitingConnack
        case awaitingSuback
        case done
    }

    private let connect: [UInt8]
    private let subscribe: [UInt8]?
    private let successor: (any ChannelHandler)?
    private let opened: EventLoopPromise<Void>
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
        connect: [UInt8], subscribe: [UInt8]?, successor: (any ChannelHandler)?, name: String, usesTLS: Bool,
        timeout: TimeAmount, opened: EventLoopPromise<Void>
    ) {
        self.connect = connect
        self.subscribe = subscribe
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
                receive(packet, context: context)
            }
        } catch {
            finish(.failure(.connectionLost("\(name): \(error)")), context: context)
        }
        if state != .done, received.readableBytes >= Self.answerBytesMax {
            finish(.failure(.connectionLost("\(name): what answers \(awaited) is not MQTT 3.1.1")), context: context)
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

    private func receive(_ packet: [UInt8], context: ChannelHandlerContext) {
        switch state {
        case .awaitingConnack:
            guard packet.count == 4, packet[0] == 0x20 else {
                return finish(.failure(.connectionLost("\(name): what answers CONNECT is not a CONNACK")), context: context)
            }
            guard packet[3] == 0 else {
                return finish(.failure(.refused("\(name): CONNECT refused, \(refusal(packet[3]))")), context: context)
            }
            guard let subscribe else { return finish(.success(()), context: context) }
            state = .awaitingSuback
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: subscribe)), promise: nil)
        case .awaitingSuback:
            guard packet.count == 5, packet[0] == 0x90 else {
                return finish(.failure(.connectionLost("\(name): what answers SUBSCRIBE is not a SUBACK")), context: context)
            }
            guard packet[4] == subscribe?.last else {
                return finish(.failure(.refused("\(name): SUBSCRIBE answered with \(packet[4])")), context: context)
            }
            finish(.success(()), context: context)
        case .done: break
        }
    }

    /// CONNACK's return codes (MQTT 3.1.1 table 3.1).
    private func refusal(_ code: UInt8) -> String {
        switch code {
        case 1: "unacceptable protocol version (1)"
        case 2: "client identifier rejected (2)"
        case 3: "server unavailable (3)"
        case 4: "bad user name or password (4)"
        case 5: "not authorized (5)"
        default: "return code \(code)"
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
                opened.succeed(())
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
