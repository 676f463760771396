extension Certificate {
    /// SHA-256, in lower-case hexadecimal, of what the authority has signed: the certificate without its signature.
    ///
    /// A signature can be written in another way without the authority's key: of ECDSA's two numbers one may be replaced by what it lacks to
    /// the order of the curve. That is another file with another fingerprint, and still the same certificate. What is taken back is known by
    /// this.
    package var contentFingerprint: String { Self.contentFingerprint(of: der) }

    /// Likewise, of a certificate's DER that was read before; the whole is taken where it is none.
    package static func contentFingerprint(of der: [UInt8]) -> String {
        let content = signedContent(of: der) ?? der[...]
        guard let digest = try? SHA256.hash(Array(content)) else { return "" }
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The first element of the outer sequence, with its header (RFC 5280, section 4.1).
    private static func signedContent(of der: [UInt8]) -> ArraySlice<UInt8>? {
        guard let outer = element(in: der, at: 0), let inner = element(in: der, at: outer.content), inner.end <= outer.end else {
            return nil
        }
        return der[outer.content..<inner.end]
    }

    /// Where the content of a DER element begins, and where it ends.
    private static func element(in der: [UInt8], at start: Int) -> (content: Int, end: Int)? {
        guard start + 1 < der.count, der[start] == 0x30 else { return nil }
        let first = Int(der[start + 1])
        var (content, length) = (start + 2, first)
        if first >= 0x80 {
            let count = first - 0x80
            guard (1...4).contains(count), content + count <= der.count else { return nil }
            length = der[content..<content + count].reduce(0) { $0 << 8 | Int($1) }
            content += count
        }
        return length <= der.count - content ? (content, content + length) : nil
    }
}
