import Documents
import Hummingbird

/// What browsers are told about pages of other origins (the Fetch standard, CORS protocol).
extension CrossOriginPolicy {
    /// The fields that an answer to a page of an origin has; none where it may not read it.
    func fields(for origin: String) -> HTTPFields {
        guard let allowed = allowedOrigin(origin) else { return [:] }
        var fields = HTTPFields()
        fields[.accessControlAllowOrigin] = allowed
        if allowsCredentials { fields[.accessControlAllowCredentials] = "true" }
        if !exposedHeaders.isEmpty { fields[.accessControlExposeHeaders] = exposedHeaders.joined(separator: ",") }
        if allowed != "*" { fields[.vary] = "Origin" }
        return fields
    }

    /// The answer to a browser that asks beforehand; nil for another request.
    ///
    /// What ``fields(for:)`` has is added to it as to every answer.
    func preflight(_ request: Request) -> RouteAnswer? {
        guard request.method == .options, let origin = request.headers[.origin], request.headers[.accessControlRequestMethod] != nil else {
            return nil
        }
        var answer = RouteAnswer(status: 204, mediaType: "application/json", body: [])
        guard allowedOrigin(origin) != nil else { return answer }
        if !methods.isEmpty { answer.headers[.accessControlAllowMethods] = methods.joined(separator: ",") }
        if !headers.isEmpty { answer.headers[.accessControlAllowHeaders] = headers.joined(separator: ",") }
        if let maxAgeSeconds { answer.headers[.accessControlMaxAge] = String(maxAgeSeconds) }
        return answer
    }

    private func allowedOrigin(_ origin: String) -> String? {
        if origins.contains("*") { return "*" }
        let isAllowed = origins.contains { $0 == origin || ($0.hasSuffix("://*") && origin.hasPrefix($0.dropLast())) }
        return isAllowed ? origin : nil
    }
}
