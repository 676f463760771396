/// Bytes as a dictionary key, looked up by a slice without a copy.
///
/// Text is compared by its bytes, hence by code points: Swift's `String` would call canonically equivalent texts equal.
struct ByteKey: Hashable, Sendable {
    let bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
    }

    /// A key that does not keep a larger buffer alive.
    init(copying bytes: some Sequence<UInt8>) {
        self.bytes = ArraySlice(Array(bytes))
    }

    func hash(into hasher: inout Hasher) {
        // Hashes the bytes in one piece; the pointer does not leave the closure.
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe hasher.combine(bytes: buffer)
        }
        hasher.combine(bytes.count)
    }
}
