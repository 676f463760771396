package import HTTPTypes
package import Hummingbird
import NIOCore

/// A file that browsers ask for, ready to be answered with.
///
/// It is kept in memory: no request touches a disk.
package struct PageFile: Sendable {
    private let bytes: ByteBuffer
    private let mediaType: String
    /// Changes with the bytes (RFC 9110 section 8.8.3).
    package let entityTag: String

    /// - Parameters:
    ///   - name: what the media type is known by: the part behind the last dot.
    ///   - bytes: all of the file.
    package init(named name: String, bytes: [UInt8]) {
        self.bytes = ByteBuffer(bytes: bytes)
        mediaType = Self.mediaType(of: name)
        entityTag = "\"\(String(Self.digest(bytes), radix: 16))-\(String(bytes.count, radix: 16))\""
    }

    /// What the file may do in a browser: only with what the same listener serves, without inline code, and inside no other page.
    ///
    /// Text becomes markup nowhere: the pages use no sink for which they would need a policy of trusted types.
    private static let contentSecurityPolicy =
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'"

    /// Answers GET and HEAD; with 304 and no body when the browser has the same bytes.
    package func answer(_ request: HTTPRequest) -> Response {
        var headers: HTTPFields = [
            .eTag: entityTag,
            // Kept, but asked for each time: a page never runs with the script of another version.
            .cacheControl: "no-cache",
            .contentSecurityPolicy: Self.contentSecurityPolicy,
            .xContentTypeOptions: "nosniff",
            .referrerPolicy: "no-referrer",
            .crossOriginResourcePolicy: "same-origin",
        ]
        if Self.names(request.headerFields[.ifNoneMatch] ?? "", entityTag) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = mediaType
        headers[.contentLength] = String(bytes.readableBytes)
        let body = request.method == .head ? ResponseBody() : ResponseBody(byteBuffer: bytes)
        return Response(status: .ok, headers: headers, body: body)
    }

    /// Whether a list of entity tags has this one, weak or not, or is `*` (RFC 9110 section 13.1.2).
    private static func names(_ list: String, _ entityTag: String) -> Bool {
        list.split(separator: ",").contains { element in
            let tag = element.drop { $0 == " " }.prefix { $0 != " " }
            return tag == "*" || tag == entityTag || tag.hasPrefix("W/") && tag.dropFirst(2) == entityTag
        }
    }

    private static let mediaTypes = [
        "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
        "json": "application/json", "svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg", "ico": "image/x-icon",
        "txt": "text/plain; charset=utf-8", "webmanifest": "application/manifest+json", "woff2": "font/woff2",
    ]

    private static func mediaType(of name: String) -> String {
        name.split(separator: ".").last.flatMap { mediaTypes[$0.lowercased()] } ?? "application/octet-stream"
    }

    /// FNV-1a, 64 bits: tells versions of a file apart, and guards nothing.
    private static func digest(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

extension HTTPField.Name {
    fileprivate static let referrerPolicy = constant("Referrer-Policy")
    fileprivate static let crossOriginResourcePolicy = constant("Cross-Origin-Resource-Policy")

    private static func constant(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no header name") }
        return name
    }
}
