package import NIOCore

extension ByteBuffer {
    /// Masks, or unmasks, the last `count` bytes (RFC 6455, section 5.3).
    ///
    /// - Parameters:
    ///   - count: of the readable bytes; at most all of them.
    ///   - key: as in ``FrameHeader/maskingKey``.
    ///   - position: of the first of these bytes in the payload.
    package mutating func mask(last count: Int, with key: UInt32, at position: Int) {
        if key == 0 || count == 0 { return }
        // The key from the byte on that masks the first of these: a rotation by whole bytes.
        let shift = UInt32(truncatingIfNeeded: position & 3) * 8
        let rotated = shift == 0 ? key : key >> shift | key << (32 - shift)
        let wide = UInt64(rotated) << 32 | UInt64(rotated)
        let start = readableBytes - count
        unsafe withUnsafeMutableReadableBytes { bytes in
            var index = start
            while index + 8 <= bytes.count {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                unsafe bytes.storeBytes(of: word ^ wide.littleEndian, toByteOffset: index, as: UInt64.self)
                index += 8
            }
            // Eight is a multiple of the key's length: what is left begins with the key's first byte again.
            var rest = rotated
            while index < bytes.count {
                unsafe bytes[index] ^= UInt8(truncatingIfNeeded: rest)
                rest = rest >> 8 | rest << 24
                index += 1
            }
        }
    }
}
