package import HTTPTypes

/// What a request shows in `Authorization` (RFC 6750 section 2.1).
package enum BearerToken: Equatable {
    /// No field of the scheme `Bearer`.
    case none
    /// Two fields: which of them counts, another reader may see otherwise.
    case repeated
    case shown([UInt8])

    package init(in headers: HTTPFields) {
        let values = headers[values: .authorization]
        guard values.contains(where: { Self.hasScheme($0) }) else {
            self = .none
            return
        }
        self = values.count == 1 ? .shown(Self.withoutScheme(values[0])) : .repeated
    }

    private static let scheme = "bearer"

    private static func hasScheme(_ value: String) -> Bool {
        value.lowercased().hasPrefix(scheme + " ") || value.lowercased() == scheme
    }

    /// The token behind the scheme, or the whole value where no scheme stands, as for API Gateway.
    package static func withoutScheme(_ value: String) -> [UInt8] {
        hasScheme(value) ? Array(value.utf8.dropFirst(scheme.utf8.count).drop { $0 == UInt8(ascii: " ") }) : Array(value.utf8)
    }
}
