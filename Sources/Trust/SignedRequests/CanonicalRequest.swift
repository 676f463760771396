/// The one spelling of a request that both sides sign: "Create a signed AWS API request", the IAM user guide, "canonical request".
///
/// The path is encoded once more than it came, as every service but Amazon S3 has it, and S3 is none of those here.
enum CanonicalRequest {
    /// - Parameters:
    ///   - request: as it came.
    ///   - claims: which headers are signed, and where the signature stands.
    ///   - payloadHash: SHA-256 of the body, in hexadecimal.
    /// - Returns: UTF-8.
    static func text(of request: SignedRequest, _ claims: SignatureClaims, payloadHash: String) -> [UInt8] {
        var lines: [[UInt8]] = [Array(request.method.utf8)]
        lines.append(encoded(request.path, keeping: UInt8(ascii: "/")))
        lines.append(query(request.query, leavingOut: claims.unsignedParameters))
        for name in claims.signedHeaders {
            lines.append(Array("\(name):".utf8) + request.values(of: name).map(headerValue).joined(separator: [UInt8(ascii: ",")]))
        }
        lines.append([])
        lines.append(Array(claims.signedHeaders.joined(separator: ";").utf8))
        lines.append(Array(payloadHash.utf8))
        return Array(lines.joined(separator: [UInt8(ascii: "\n")]))
    }

    /// Whether the signature says which of several resources the path means.
    ///
    /// Signers take out empty levels, `.` and `..` before they sign, so one signature would fit many paths.
    static func isUnambiguous(_ path: [UInt8]) -> Bool {
        guard path.first == UInt8(ascii: "/") else { return false }
        let levels = path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let dots: [[UInt8]] = [[UInt8(ascii: ".")], [UInt8(ascii: "."), UInt8(ascii: ".")]]
        return levels.dropLast().allSatisfy { !$0.isEmpty } && !levels.contains { dots.contains(Array($0)) }
    }

    /// Sorted by the bytes of the encoded names, and of values where names are equal.
    private static func query(_ parameters: [QueryParameter], leavingOut left: [String]) -> [UInt8] {
        let left = left.map { Array($0.utf8) }
        let pairs = parameters.filter { !left.contains($0.name) }.map { (name: encoded($0.name), value: encoded($0.value)) }
        let sorted = pairs.sorted {
            $0.name == $1.name ? $0.value.lexicographicallyPrecedes($1.value) : $0.name.lexicographicallyPrecedes($1.name)
        }
        return Array(sorted.map { $0.name + [UInt8(ascii: "=")] + $0.value }.joined(separator: [UInt8(ascii: "&")]))
    }

    /// Without spaces at the ends, and with one where there are more.
    private static func headerValue(_ text: String) -> [UInt8] {
        let words = text.utf8.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return Array(words.joined(separator: [UInt8(ascii: " ")]))
    }

    /// Everything but RFC 3986's unreserved characters as `%XX`.
    private static func encoded(_ bytes: [UInt8], keeping kept: UInt8? = nil) -> [UInt8] {
        var output: [UInt8] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                output.append(byte)
            default:
                if byte == kept { output.append(byte) } else { output += Array("%\(Hexadecimal.text(CollectionOfOne(byte)))".utf8) }
            }
        }
        return output
    }
}
