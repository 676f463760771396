import COpenSSL
import FuzzDriver
import Trust

/// Signs requests as AWS's clients do, written without Crema's own canonical form: what that gets wrong must not be wrong here as well.
struct RequestSigner {
    let keyID = "AKIDEXAMPLE"
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    let time: String

    /// Makes a request.
    ///
    /// - Parameters:
    ///   - path: any bytes; sent with all but unreserved characters and slashes encoded.
    ///   - query: names and values, sent encoded.
    ///   - body: what is signed and not sent here.
    ///   - shop: the value of a header that is signed, too.
    /// - Returns: the request, without its body.
    func signed(path: [UInt8], query: [(name: [UInt8], value: [UInt8])], body: [UInt8], shop: String) -> SignedRequest {
        let sent = "/" + Self.encoded(path, keeping: "/")
        let pairs = query.map { (Self.encoded($0.name), Self.encoded($0.value)) }
        let target = pairs.isEmpty ? sent : sent + "?" + pairs.map { "\($0)=\($1)" }.joined(separator: "&")
        let sorted = pairs.sorted {
            $0.0 == $1.0 ? Self.precedes($0.1, $1.1) : Self.precedes($0.0, $1.0)
        }
        let names = "host;x-amz-date;x-shop"
        let canonical = [
            "POST", Self.encoded(Array(sent.utf8), keeping: "/"), sorted.map { "\($0)=\($1)" }.joined(separator: "&"),
            "host:localhost", "x-amz-date:\(time)", "x-shop:\(shop)", "", names, Self.text(hash(body)),
        ].joined(separator: "\n")
        let scope = "\(time.prefix(8))/us-east-1/events/aws4_request"
        let input = "AWS4-HMAC-SHA256\n\(time)\n\(scope)\n\(Self.text(hash(Array(canonical.utf8))))"
        var key = Array("AWS4\(secret)".utf8)
        for part in scope.split(separator: "/") { key = authenticate(Array(part.utf8), key: key) }
        let signature = Self.text(authenticate(Array(input.utf8), key: key))
        return SignedRequest(
            method: "POST", target: target,
            headers: [
                (name: "Host", value: "localhost"), (name: "X-Amz-Date", value: time), (name: "X-Shop", value: shop),
                (
                    name: "Authorization",
                    value: "AWS4-HMAC-SHA256 Credential=\(keyID)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
                ),
            ])
    }

    /// Whether a path has none of the levels of which one signature would fit several.
    static func isPlain(_ path: [UInt8]) -> Bool {
        let levels = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        return levels.dropLast().allSatisfy { !$0.isEmpty } && !levels.contains { $0 == "." || $0 == ".." }
    }

    private static func precedes(_ one: String, _ other: String) -> Bool { Array(one.utf8).lexicographicallyPrecedes(Array(other.utf8)) }

    private static func encoded(_ bytes: [UInt8], keeping kept: String = "") -> String {
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8).union(kept.utf8)
        return bytes.map { plain.contains($0) ? String(Character(Unicode.Scalar($0))) : "%" + text([$0]).uppercased() }.joined()
    }

    private static func text(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    // MARK: libcrypto

    private func hash(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        require(unsafe EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil) == 1, "no SHA-256")
        return digest
    }

    private func authenticate(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: 32)
        var length = 0
        let written = unsafe EVP_Q_mac(
            nil, "HMAC", nil, "SHA256", nil, key, key.count, message, message.count, &code, code.count, &length)
        require(unsafe written != nil, "no HMAC")
        return code
    }
}
