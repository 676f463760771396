import FuzzDriver
import NIOCore
import NIOWebSocket
import WebSocketFraming

/// What must hold of every sequence of bytes that a WebSocket peer may send.
///
/// The first byte of an input says whose frames the others are, and in what pieces they come.
struct FramingProperties {
    var sender: FrameReader.Sender
    var pieceBytes: Int
    var bytes: [UInt8]

    /// Small enough that the fuzzer meets it.
    private static let frameBytesMax = 1_024

    init(input: [UInt8]) {
        let first = input.first ?? 0
        sender = first & 1 == 0 ? .client : .server
        pieceBytes = Int(first >> 1) + 1
        bytes = Array(input.dropFirst())
    }

    /// What a stream came to.
    private struct Reading: Equatable {
        var events: [FrameReader.Event] = []
        var payload: [UInt8] = []
        var violation: WebSocketViolation?
        var left = 0
    }

    func check() {
        let whole = read(pieceBytes: max(1, bytes.count))
        require(read(pieceBytes: 1) == whole, "what is read depends on how it arrives")
        require(read(pieceBytes: pieceBytes) == whole, "what is read depends on how it arrives")
        require(whole.payload.count <= bytes.count, "more came out than went in")
        require(whole.left < 14, "more than a header is kept")
        require(whole == readSimply(), "the frames are others by the book")
        checkMessages(whole.events)
        if sender == .client { checkConnection() }
    }

    private func read(pieceBytes: Int) -> Reading {
        var reader = FrameReader(from: sender, frameBytesMax: Self.frameBytesMax)
        var reading = Reading()
        var input = ByteBuffer()
        var output = ByteBuffer()
        do throws(WebSocketViolation) {
            for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
                input.writeBytes(bytes[start..<min(bytes.count, start + pieceBytes)])
                while let event = try reader.next(from: &input, appendingPayloadTo: &output) { reading.events.append(event) }
            }
            reading.left = input.readableBytes
        } catch {
            reading.violation = error
        }
        reading.payload = Array(output.readableBytesView)
        return reading
    }

    /// Messages begin and end in turns.
    private func checkMessages(_ events: [FrameReader.Event]) {
        var isInMessage = false
        for event in events {
            switch event {
            case .messageBegan:
                require(!isInMessage, "a message begins inside another")
                isInMessage = true
            case .messageEnded:
                require(isInMessage, "a message ends that has not begun")
                isInMessage = false
            case .ping(let payload), .pong(let payload):
                require(payload.readableBytes <= FrameHeader.controlBytesMax, "a long control frame")
            case .close: break
            }
        }
    }

    /// The server's side of the same stream: its answers are bounded, and after the end there are none.
    private func checkConnection() {
        var connection = ServerConnection(frameBytesMax: Self.frameBytesMax)
        var input = ByteBuffer(bytes: bytes)
        var output = ByteBuffer()
        var hasEnded = false
        while let action = connection.next(from: &input, appendingPayloadTo: &output) {
            require(!hasEnded, "something is done after the end")
            switch action {
            case .messageBegan(let opcode): require(opcode == .binary, "a text message is passed on")
            case .messageEnded: break
            case .pong(let frame): require(frame.readableBytes <= 2 + FrameHeader.controlBytesMax, "a long pong")
            case .end(let frame):
                require(frame.map { $0.readableBytes <= 4 } ?? true, "a long goodbye")
                hasEnded = true
            case .fail(_, let frame):
                require(frame.readableBytes == 4, "a goodbye without its status")
                hasEnded = true
            }
        }
        require(connection.isOpen != hasEnded, "the end was not told")
        require(connection.close(.normal) == nil || !hasEnded, "a second goodbye")
        var more = ByteBuffer(bytes: bytes)
        let size = output.readableBytes
        if hasEnded {
            require(connection.next(from: &more, appendingPayloadTo: &output) == nil, "something is done after the end")
            require(output.readableBytes == size, "something is passed on after the end")
        }
    }
}

extension FramingProperties {
    /// RFC 6455 once more, frame by frame from an array, with nothing of the reader in it.
    private func readSimply() -> Reading {
        var reading = Reading()
        var start = 0
        var isInMessage = false
        func fail(_ violation: WebSocketViolation) -> Reading {
            reading.violation = violation
            return reading
        }
        while start + 2 <= bytes.count {
            let bits = bytes[start] & 0x0F
            let isControl = bits >= 8
            if bytes[start] & 0x70 != 0 { return fail(.reservedBits) }
            if ![0, 1, 2, 8, 9, 10].contains(bits) { return fail(.reservedOpcode(bits)) }
            let isFinal = bytes[start] >= 0x80
            let short = Int(bytes[start + 1] & 0x7F)
            if isControl && !isFinal { return fail(.controlFrameInFragments) }
            if isControl && short > 125 { return fail(.controlFrameTooLong) }
            let width = short == 126 ? 2 : short == 127 ? 8 : 0
            guard start + 2 + width <= bytes.count else { break }
            let length = width == 0 ? UInt64(short) : bytes[(start + 2)..<(start + 2 + width)].reduce(0) { $0 << 8 | UInt64($1) }
            if width == 2 && length < 126 || width == 8 && (length < 65_536 || length >= 1 << 63) { return fail(.lengthEncoding) }
            if length > UInt64(Self.frameBytesMax) { return fail(.frameTooLarge(bytes: length, limit: Self.frameBytesMax)) }
            let isMasked = bytes[start + 1] >= 0x80
            let body = start + 2 + width + (isMasked ? 4 : 0)
            guard body <= bytes.count else { break }
            if isMasked != (sender == .client) { return fail(isMasked ? .maskedFrame : .unmaskedFrame) }
            if bits == 0 && !isInMessage { return fail(.nothingToContinue) }
            if bits == 1 || bits == 2 {
                if isInMessage { return fail(.messageInterrupted) }
                isInMessage = true
                reading.events.append(.messageBegan(bits == 1 ? .text : .binary))
            }
            let end = min(bytes.count, body + Int(length))
            let payload = (body..<end).map { isMasked ? bytes[$0] ^ bytes[body - 4 + ($0 - body) % 4] : bytes[$0] }
            if !isControl { reading.payload += payload }
            guard body + Int(length) <= bytes.count else { return reading }
            start = end
            switch bits {
            case 8:
                do throws(WebSocketViolation) {
                    reading.events.append(.close(try CloseStatus.read(from: ByteBuffer(bytes: payload))))
                } catch {
                    return fail(error)
                }
            case 9: reading.events.append(.ping(ByteBuffer(bytes: payload)))
            case 10: reading.events.append(.pong(ByteBuffer(bytes: payload)))
            default:
                if isFinal {
                    isInMessage = false
                    reading.events.append(.messageEnded)
                }
            }
        }
        reading.left = bytes.count - start
        return reading
    }
}
