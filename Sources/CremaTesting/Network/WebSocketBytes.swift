/// WebSocket by hand, from the client's side: what is tested is written and read here without the code under test.
package enum WebSocketBytes {
    /// A request that opens a connection, with fields changed, added (a name of its own) or left out (`nil`).
    package static func request(_ target: String = "/mqtt", method: String = "GET", _ changes: [String: String?] = [:]) -> [UInt8] {
        var fields: [String: String?] = [
            "Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "mqtt",
        ]
        fields.merge(changes) { $1 }
        let lines = fields.sorted { $0.key < $1.key }.compactMap { name, value in value.map { "\(name): \($0)\r\n" } }
        return Array("\(method) \(target) HTTP/1.1\r\n\(lines.joined())\r\n".utf8)
    }

    /// What RFC 6455 computes for the key of ``request(_:method:_:)``, in its own example.
    package static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    package static let binary: UInt8 = 0x2
    package static let text: UInt8 = 0x1
    package static let continuation: UInt8 = 0x0
    package static let close: UInt8 = 0x8
    package static let ping: UInt8 = 0x9
    package static let pong: UInt8 = 0xA

    /// A client's frame; without a key, one that a client must not send.
    package static func frame(
        _ opcode: UInt8 = binary, _ payload: some Collection<UInt8> = [], isFinal: Bool = true, reserved: UInt8 = 0,
        key: [UInt8]? = [0x37, 0xFA, 0x21, 0x3D], declaring length: Int? = nil
    ) -> [UInt8] {
        let mask: UInt8 = key == nil ? 0 : 0x80
        let length = length ?? payload.count
        var bytes: [UInt8] = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode]
        switch length {
        case ...125: bytes.append(mask | UInt8(length))
        case ...65_535: bytes += [mask | 126, UInt8(length >> 8), UInt8(length & 0xFF)]
        default: bytes += [mask | 127] + (0..<8).map { UInt8(truncatingIfNeeded: length >> (56 - 8 * $0)) }
        }
        guard let key else { return bytes + payload }
        return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
    }

    package static func closing(_ code: UInt16, _ reason: String = "") -> [UInt8] {
        frame(close, [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8))
    }

    /// A server's frame.
    package struct Frame: Equatable, Sendable {
        package var opcode: UInt8
        package var payload: [UInt8]
        package var isFinal: Bool
        package var reserved: UInt8
        package var isMasked: Bool

        /// The status of a close frame that has one.
        package var closeCode: UInt16? {
            opcode == close && payload.count >= 2 ? UInt16(payload[0]) << 8 | UInt16(payload[1]) : nil
        }
    }

    /// The complete frames at the front of what a server sent.
    package static func frames(in bytes: some Collection<UInt8>) -> [Frame] {
        let bytes = Array(bytes)
        var frames: [Frame] = []
        var start = 0
        while start + 2 <= bytes.count {
            var length = Int(bytes[start + 1] & 0x7F)
            var payload = start + 2
            if length >= 126 {
                let width = length == 126 ? 2 : 8
                guard payload + width <= bytes.count else { break }
                length = bytes[payload..<payload + width].reduce(0) { $0 << 8 | Int($1) }
                payload += width
            }
            let isMasked = bytes[start + 1] & 0x80 != 0
            if isMasked { payload += 4 }
            guard payload + length <= bytes.count else { break }
            frames.append(
                Frame(
                    opcode: bytes[start] & 0x0F, payload: Array(bytes[payload..<payload + length]), isFinal: bytes[start] & 0x80 != 0,
                    reserved: bytes[start] >> 4 & 7, isMasked: isMasked))
            start = payload + length
        }
        return frames
    }
}

extension RawClient {
    /// Opens a WebSocket connection; answers with the head of the answer.
    package mutating func openWebSocket(_ request: [UInt8] = WebSocketBytes.request()) async throws -> String {
        try await send(request)
        _ = try await receive(Array("\r\n\r\n".utf8))
        return String(decoding: received.prefix(received.count - afterHead.count), as: UTF8.self)
    }

    /// What came after the first answer's head.
    package var afterHead: ArraySlice<UInt8> {
        received.firstRange(of: Array("\r\n\r\n".utf8)).map { received[$0.upperBound...] } ?? []
    }

    /// The WebSocket frames that have come.
    package var frames: [WebSocketBytes.Frame] { WebSocketBytes.frames(in: afterHead) }

    /// What the binary frames that have come carry.
    package var messageBytes: [UInt8] { frames.filter { $0.opcode == WebSocketBytes.binary }.flatMap(\.payload) }

    /// Reads until a frame is there that is wanted; `nil` when the peer closed before.
    package mutating func receiveFrame(
        where isWanted: (WebSocketBytes.Frame) -> Bool
    ) async throws -> WebSocketBytes.Frame? {
        while true {
            if let frame = frames.first(where: isWanted) { return frame }
            if try await receiveMore().isEmpty { return nil }
        }
    }

    /// Reads until the messages carry these bytes; answers false when the peer closed before.
    package mutating func receiveMessage(_ bytes: [UInt8]) async throws -> Bool {
        while !messageBytes.contains(bytes) {
            if try await receiveMore().isEmpty { return false }
        }
        return true
    }
}
