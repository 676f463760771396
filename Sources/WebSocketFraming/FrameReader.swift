package import NIOCore
package import NIOWebSocket

/// Takes apart what one peer sends: frames, and the messages that they are pieces of.
///
/// Payload bytes are given out as they come, whatever frames they come in: of data frames nothing is kept here, and of a control frame
/// at most ``FrameHeader/controlBytesMax`` bytes. A reader that has thrown takes nothing more.
package struct FrameReader {
    package enum Event: Equatable, Sendable {
        /// The next payload bytes begin a message of this kind, text or binary.
        case messageBegan(WebSocketOpcode)
        /// All payload bytes of the message have been given out.
        case messageEnded
        case ping(ByteBuffer)
        case pong(ByteBuffer)
        /// With the status, and what to answer it with.
        case close(CloseStatus?)
    }

    /// Whose frames these are: clients mask theirs, servers do not.
    package enum Sender: Sendable { case client, server }

    private struct Frame {
        let header: FrameHeader
        var bytesLeft: Int

        /// Moves what is there of the payload, without its mask.
        mutating func take(from input: inout ByteBuffer, into output: inout ByteBuffer) {
            let count = min(bytesLeft, input.readableBytes)
            guard count > 0, let piece = input.readSlice(length: count) else { return }
            let position = header.payloadLength - bytesLeft
            output.writeImmutableBuffer(piece)
            if let key = header.maskingKey { output.mask(last: count, with: key, at: position) }
            bytesLeft -= count
        }
    }

    private let sender: Sender
    private let frameBytesMax: Int
    private var frame: Frame?
    private var control = ByteBuffer()
    private var isInMessage = false

    /// - Parameters:
    ///   - sender: whose frames these are.
    ///   - frameBytesMax: bytes of one frame's payload; a larger frame is a violation when its header is there.
    package init(from sender: Sender, frameBytesMax: Int) {
        self.sender = sender
        self.frameBytesMax = frameBytesMax
    }

    /// Reads on until something happens; `nil` when more bytes are needed.
    ///
    /// Takes from the front of `input` what it has read; a header that is not complete stays there. Appends to `output` the payload bytes of
    /// the messages, unmasked.
    package mutating func next(
        from input: inout ByteBuffer, appendingPayloadTo output: inout ByteBuffer
    ) throws(WebSocketViolation) -> Event? {
        while true {
            guard var frame else {
                guard let header = try FrameHeader.read(from: &input, payloadBytesMax: frameBytesMax) else { return nil }
                let event = try begin(header)
                frame = Frame(header: header, bytesLeft: header.payloadLength)
                if let event { return event }
                continue
            }
            let isControl = frame.header.opcode.isControlOpcode
            if isControl { frame.take(from: &input, into: &control) } else { frame.take(from: &input, into: &output) }
            guard frame.bytesLeft == 0 else {
                self.frame = frame
                return nil
            }
            self.frame = nil
            if isControl { return try endControl(frame.header.opcode) }
            if frame.header.isFinal {
                isInMessage = false
                return .messageEnded
            }
        }
    }

    /// Whether the frame may come here, and what begins with it.
    private mutating func begin(_ header: FrameHeader) throws(WebSocketViolation) -> Event? {
        switch sender {
        case .client: guard header.maskingKey != nil else { throw .unmaskedFrame }
        case .server: guard header.maskingKey == nil else { throw .maskedFrame }
        }
        if header.opcode.isControlOpcode { return nil }
        guard header.opcode != .continuation else {
            guard isInMessage else { throw .nothingToContinue }
            return nil
        }
        guard !isInMessage else { throw .messageInterrupted }
        isInMessage = true
        return .messageBegan(header.opcode)
    }

    private mutating func endControl(_ opcode: WebSocketOpcode) throws(WebSocketViolation) -> Event {
        let payload = control
        control = ByteBuffer()
        switch opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong(payload)
        default: return .close(try CloseStatus.read(from: payload))
        }
    }
}
