import NIOHTTP1

/// The rules of a request's `Transfer-Encoding` fields (RFC 9112, sections 6.1 and 6.3).
///
/// What breaks them may have been read as another request by whoever passed it on, so that nothing behind it on the connection is read.
enum TransferCodings {
    /// How a request is refused; `nil` when its body ends where every reader takes it to end, and is coded as Crema reads it.
    static func refusal(of head: HTTPRequestHead) -> HTTPRefusal? {
        let fields = head.headers["transfer-encoding"]
        if fields.isEmpty { return nil }
        guard head.version.major > 1 || head.version.minor >= 1 else {
            return HTTPRefusal(.badRequest, "HTTP/1.0 has no Transfer-Encoding")
        }
        let codings = fields.flatMap { $0.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) }.map { text in
            String(Substring(text)).filter { $0 != " " && $0 != "\t" }.lowercased()
        }
        guard codings.last == "chunked" else {
            return HTTPRefusal(.badRequest, "the last coding of Transfer-Encoding must be chunked: else nobody knows where the body ends")
        }
        return codings.count == 1 ? nil : HTTPRefusal(.notImplemented, "Transfer-Encoding has codings beside chunked; none is read here")
    }
}
