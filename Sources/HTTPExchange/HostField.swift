import NIOHTTP1

/// The rules of a request's `Host` field (RFC 9112, section 3.2).
enum HostField {
    /// Why a request is to be answered 400; `nil` when its host is as it must be.
    static func fault(in head: HTTPRequestHead) -> String? {
        let hosts = head.headers["host"]
        if hosts.count > 1 { return "the request has \(hosts.count) Host fields; it must have one" }
        guard let host = hosts.first else {
            return head.version.major > 1 || head.version == .http1_1 ? "the request has no Host field, which HTTP/1.1 demands" : nil
        }
        return isValid(host) ? nil : "the Host field is not a host with an optional port"
    }

    /// Whether a value is `uri-host [ ":" port ]` (RFC 3986, section 3.2.2).
    ///
    /// It may be empty: some targets have no authority.
    static func isValid(_ value: String) -> Bool {
        var rest = Substring(value).utf8
        if rest.first == UInt8(ascii: "[") {
            guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return false }
            let address = rest[rest.index(after: rest.startIndex)..<end]
            guard !address.isEmpty, address.allSatisfy({ isHexadecimal($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }) else {
                return false
            }
            rest = rest[rest.index(after: end)...]
        } else {
            let end = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
            guard rest[..<end].allSatisfy(isInName) else { return false }
            rest = rest[end...]
        }
        guard let colon = rest.first else { return true }
        let port = rest.dropFirst()
        return colon == UInt8(ascii: ":") && port.count <= 5 && port.allSatisfy(isDigit)
    }

    private static func isInName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        default: isDigit(byte) || "-._~%!$&'()*+,;=".utf8.contains(byte)
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }
}
