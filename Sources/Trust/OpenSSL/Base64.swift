import COpenSSL

/// Base64 (RFC 4648 section 4), with padding and without line ends.
enum Base64 {
    /// Longest text that is read and most bytes that are written: nothing here is larger than a key or a salt.
    static let textBytesMax = 4_096

    static func text(_ bytes: [UInt8]) -> [UInt8] {
        precondition(bytes.count <= textBytesMax / 4 * 3, "salts, keys and nonces are short")
        // Four characters for every three bytes, and a NUL that libcrypto sets behind them.
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let length = unsafe EVP_EncodeBlock(&text, bytes, Int32(truncatingIfNeeded: bytes.count))
        return Array(text.prefix(Int(length)))
    }

    /// `nil` unless the text is exactly what ``text(_:)`` writes for its bytes: no blanks, no stray bits, padding where it belongs.
    static func bytes(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard !text.isEmpty, text.count <= textBytesMax, text.count.isMultiple(of: 4) else { return nil }
        let encoded = Array(text)
        let padding = encoded.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        var decoded = [UInt8](repeating: 0, count: encoded.count / 4 * 3)
        ErrorQueue.clear()
        let length = unsafe EVP_DecodeBlock(&decoded, encoded, Int32(truncatingIfNeeded: encoded.count))
        ErrorQueue.clear()
        guard Int(length) == decoded.count else { return nil }
        decoded.removeLast(padding)
        // libcrypto passes over blanks and stray bits; what does not come back as it was is refused.
        return Self.text(decoded) == encoded ? decoded : nil
    }
}
