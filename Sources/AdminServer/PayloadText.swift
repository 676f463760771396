import FoundationEssentials
import NIOCore

/// A payload, or its beginning, as JSON can carry it.
struct PayloadText {
    let text: String
    let encoding: TailDocument.Encoding
    /// Whether it is the beginning only.
    let isCut: Bool

    /// - Parameters:
    ///   - payload: the bytes, or the first of them.
    ///   - bytesMax: of them at the most.
    ///   - payloadBytes: of the whole payload, where `payload` is its beginning.
    init(_ payload: ByteBuffer, bytesMax: Int = .max, payloadBytes: Int? = nil) {
        let shown = payload.readableBytesView.prefix(bytesMax)
        isCut = shown.count < (payloadBytes ?? payload.readableBytes)
        if let text = String(validating: isCut ? Self.withoutHalfCharacter(shown) : shown, as: UTF8.self) {
            (self.text, encoding) = (text, .utf8)
        } else {
            (text, encoding) = (Data(shown).base64EncodedString(), .base64)
        }
    }

    /// Without the bytes at the end that begin a character of UTF-8 and do not end it.
    private static func withoutHalfCharacter(_ bytes: ByteBufferView) -> ByteBufferView {
        for (distance, byte) in bytes.suffix(4).reversed().enumerated() where byte & 0xC0 != 0x80 {
            let length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
            return distance + 1 < length ? bytes.dropLast(distance + 1) : bytes
        }
        return bytes
    }
}
