/// Writes the few structures of ASN.1 that libcrypto reads keys and signatures from (X.690).
enum DER {
    /// A whole number, not negative: big-endian bytes with or without leading zeros.
    static func integer(_ magnitude: some Collection<UInt8>) -> [UInt8] {
        var bytes = Array(magnitude.drop { $0 == 0 })
        // The highest bit is the sign.
        if bytes.first.map({ $0 >= 0x80 }) ?? true { bytes.insert(0, at: 0) }
        return element(0x02, bytes)
    }

    static func sequence(_ parts: [UInt8]...) -> [UInt8] { element(0x30, Array(parts.joined())) }

    /// Whole bytes.
    static func bitString(_ bytes: [UInt8]) -> [UInt8] { element(0x03, [0] + bytes) }

    /// An object identifier, already encoded.
    static func identifier(_ bytes: [UInt8]) -> [UInt8] { element(0x06, bytes) }

    static let null: [UInt8] = [0x05, 0x00]

    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length: [UInt8] = []
        var rest = content.count
        repeat {
            length.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        } while rest > 0
        return content.count < 0x80 ? [tag] + length + content : [tag, 0x80 | UInt8(length.count)] + length + content
    }
}
