package import NIOCore
import NIOWebSocket
import WebSocketFraming

/// The request that turns an HTTP connection into a WebSocket, and what answers it (RFC 6455, section 4).
package struct WebSocketHandshake: Sendable {
    /// The key of the RFC's own example, with the answer that belongs to it.
    ///
    /// It keeps a cache from answering for a server; no cache stands before a broker under load.
    private static let key = "dGhlIHNhbXBsZSBub25jZQ=="
    private static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    /// Bytes of an answer's head.
    package static let answerBytesMax = 8_192

    package let request: [UInt8]

    package init(broker: BrokerAddress, path: String) {
        request = Array(
            """
            GET \(path) HTTP/1.1\r
            Host: \(broker)\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            Sec-WebSocket-Key: \(Self.key)\r
            Sec-WebSocket-Version: 13\r
            Sec-WebSocket-Protocol: mqtt\r
            \r

            """.utf8)
    }

    /// Reads an answer's head; `nil` as long as it is not complete.
    ///
    /// - Returns: how many bytes the head has.
    package static func read(_ bytes: ByteBufferView) throws(LoadError) -> Int? {
        let end: [UInt8] = [13, 10, 13, 10]
        guard bytes.count >= 4, let start = bytes.indices.dropLast(3).first(where: { bytes[$0..<($0 + 4)].elementsEqual(end) }) else {
            guard bytes.count < answerBytesMax else { throw .refused("the answer to the WebSocket handshake has no end") }
            return nil
        }
        let lines = String(decoding: bytes[..<start], as: UTF8.self).split(separator: "\r\n")
        let status = lines.first.map(String.init) ?? ""
        guard status.hasPrefix("HTTP/1.1 101") else { throw .refused("WebSocket refused: \(status.prefix(80))") }
        let isAccepted = lines.dropFirst().contains { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return parts.count == 2 && parts[0].lowercased() == "sec-websocket-accept" && parts[1].filter { $0 != " " } == accept
        }
        guard isAccepted else { throw .refused("WebSocket refused: the answer is not to this request (Sec-WebSocket-Accept)") }
        return start - bytes.startIndex + 4
    }
}

/// MQTT in WebSocket frames: one masked binary frame for each write, and the payload of whatever frames come in.
final class WebSocketClientHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let handshake: WebSocketHandshake
    private var isOpen = false
    private var received = ByteBuffer()
    private var reader = FrameReader(from: .server, frameBytesMax: RawPackets.remainingLengthMax)
    /// Writes before the handshake's answer.
    private var waiting: [ByteBuffer] = []
    private var random = SystemRandomNumberGenerator()

    init(_ handshake: WebSocketHandshake) {
        self.handshake = handshake
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: handshake.request)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        if received.readableBytes == 0 { received = buffer } else { received.writeBuffer(&buffer) }
        do {
            guard try isOpen || open(context) else { return }
            var payload = ByteBuffer()
            while let event = try reader.next(from: &received, appendingPayloadTo: &payload) {
                switch event {
                case .ping(let data): context.writeAndFlush(wrapOutboundOut(frame(data, opcode: .pong)), promise: nil)
                case .close: context.close(promise: nil)
                case .messageBegan, .messageEnded, .pong: break
                }
            }
            if received.readableBytes == 0 { received = ByteBuffer() }
            if payload.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(payload)) }
        } catch {
            let failure = (error as? WebSocketViolation).map { LoadError.connectionLost("the broker's WebSocket: \($0.description)") }
            context.fireErrorCaught(failure ?? error)
            context.close(promise: nil)
        }
    }

    /// Answers whether the handshake is over.
    private func open(_ context: ChannelHandlerContext) throws(LoadError) -> Bool {
        guard let headBytes = try WebSocketHandshake.read(received.readableBytesView) else { return false }
        received.moveReaderIndex(forwardBy: headBytes)
        isOpen = true
        for buffer in waiting { context.write(wrapOutboundOut(frame(buffer, opcode: .binary)), promise: nil) }
        waiting = []
        context.flush()
        return true
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let buffer = unwrapOutboundIn(data)
        guard isOpen else {
            waiting.append(buffer)
            promise?.succeed(())
            return
        }
        context.write(wrapOutboundOut(frame(buffer, opcode: .binary)), promise: promise)
    }

    private func frame(_ payload: ByteBuffer, opcode: WebSocketOpcode) -> ByteBuffer {
        let key = random.next() as UInt32
        var frame = ByteBuffer()
        frame.reserveCapacity(payload.readableBytes + 14)
        FrameHeader(opcode: opcode, payloadLength: payload.readableBytes, maskingKey: key).write(to: &frame)
        frame.writeImmutableBuffer(payload)
        frame.mask(last: payload.readableBytes, with: key, at: 0)
        return frame
    }

}
