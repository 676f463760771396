package import NIOCore
package import NIOWebSocket

/// A WebSocket connection as its server sees it, from the handshake on: what to pass on, what to answer, and how to part.
///
/// Without I/O. Holds to RFC 6455, sections 5 to 7, without extensions.
package struct ServerConnection: ~Copyable {
    package enum Action: Equatable, Sendable {
        /// The payload bytes that follow belong to a message of this kind.
        case messageBegan(WebSocketOpcode)
        case messageEnded
        /// Send this frame; one that waits for the transport may take the place of an earlier one that waits (5.5.3).
        case pong(ByteBuffer)
        /// The peer has said goodbye. Send the frame, if there is one, and close the transport.
        case end(ByteBuffer?)
        /// The peer may not go on. Send the frame and close the transport.
        case fail(WebSocketViolation, ByteBuffer)
    }

    private enum Phase {
        case open
        /// The close frame was sent; the peer's is waited for.
        case closing
        case closed
    }

    private let takesText: Bool
    private var reader: FrameReader
    private var phase = Phase.open

    /// - Parameters:
    ///   - frameBytesMax: bytes of one frame's payload.
    ///   - takesText: whether text messages are passed on, without a look at their encoding.
    package init(frameBytesMax: Int, takesText: Bool = false) {
        self.takesText = takesText
        reader = FrameReader(from: .client, frameBytesMax: frameBytesMax)
    }

    /// Whether messages may still be sent.
    package var isOpen: Bool { if case .open = phase { true } else { false } }

    /// Reads on until something is to be done; `nil` when more bytes are needed, or none are wanted any more.
    ///
    /// As ``FrameReader/next(from:appendingPayloadTo:)``; after the connection's own close frame, messages are read and dropped.
    package mutating func next(from input: inout ByteBuffer, appendingPayloadTo output: inout ByteBuffer) -> Action? {
        while true {
            do throws(WebSocketViolation) {
                switch phase {
                case .closed:
                    input.clear()
                    return nil
                case .closing:
                    var dropped = ByteBuffer()
                    guard let event = try reader.next(from: &input, appendingPayloadTo: &dropped) else { return nil }
                    guard case .close = event else { continue }
                    phase = .closed
                    return .end(nil)
                case .open:
                    guard let event = try reader.next(from: &input, appendingPayloadTo: &output) else { return nil }
                    if let action = try action(for: event) { return action }
                }
            } catch {
                return fail(error)
            }
        }
    }

    private mutating func action(for event: FrameReader.Event) throws(WebSocketViolation) -> Action? {
        switch event {
        case .messageBegan(let opcode):
            guard takesText || opcode == .binary else { throw .textMessage }  // [MQTT-6.0.0-1] [MQTT5-6.0.0-1]
            return .messageBegan(opcode)
        case .messageEnded: return .messageEnded
        case .ping(let payload): return .pong(Self.frame(.pong, payload))
        case .pong: return nil
        case .close(let status):
            phase = .closed
            return .end(Self.closeFrame(status))
        }
    }

    private mutating func fail(_ violation: WebSocketViolation) -> Action {
        let wasClosing = !isOpen
        phase = .closed
        return wasClosing ? .end(nil) : .fail(violation, Self.closeFrame(violation.status))
    }

    /// Begins the goodbye; answers with the close frame to send, or `nil` when one was sent before.
    package mutating func close(_ status: CloseStatus) -> ByteBuffer? {
        guard isOpen else { return nil }
        phase = .closing
        return Self.closeFrame(status)
    }

    private static func closeFrame(_ status: CloseStatus?) -> ByteBuffer {
        var payload = ByteBuffer()
        if let status { payload.writeInteger(status.code) }
        return frame(.connectionClose, payload)
    }

    private static func frame(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) -> ByteBuffer {
        var frame = ByteBuffer()
        FrameHeader(opcode: opcode, payloadLength: payload.readableBytes).write(to: &frame)
        frame.writeImmutableBuffer(payload)
        return frame
    }
}
