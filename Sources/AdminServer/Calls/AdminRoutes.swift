import HTTPTypes

/// Finds the call that a request is for.
struct AdminRoutes: Sendable {
    static let prefix = "/api/v1/"

    private struct Entry {
        let call: AdminCall
        let segments: [Substring]
    }

    /// All calls, in the order of the API's description.
    let calls: [AdminCall]
    private let entries: [Entry]

    init(_ calls: [AdminCall]) {
        self.calls = calls
        // Paths without a variable segment win over those with one.
        entries = calls.map { Entry(call: $0, segments: $0.path.split(separator: "/", omittingEmptySubsequences: false)) }
            .sorted { $0.segments.count { Self.isVariable($0) } < $1.segments.count { Self.isVariable($0) } }
    }

    /// The call at `path`, which begins with ``prefix`` and has no query; what its variable segments hold.
    func find(_ method: HTTPRequest.Method, _ path: Substring) throws(InspectionError) -> (call: AdminCall, segments: [String: String]) {
        let parts = path.dropFirst(Self.prefix.count).split(separator: "/", omittingEmptySubsequences: false)
        var allowed: [String] = []
        var found: String?
        for entry in entries {
            // The first path that matches is the request's, and no other one's methods are its.
            guard found == nil || found == entry.call.path, let segments = Self.match(parts, entry.segments) else { continue }
            found = entry.call.path
            if entry.call.method == method { return (entry.call, segments) }
            allowed.append(entry.call.method.rawValue)
        }
        guard !allowed.isEmpty else { throw .notFound }
        throw .methodNotAllowed(allowed: allowed.sorted().joined(separator: ", "))
    }

    private static func isVariable(_ segment: Substring) -> Bool { segment.hasPrefix("{") }

    private static func match(_ parts: [Substring], _ segments: [Substring]) -> [String: String]? {
        guard parts.count == segments.count else { return nil }
        var values: [String: String] = [:]
        for (part, segment) in zip(parts, segments) {
            if isVariable(segment) {
                guard let value = InspectionQuery.decode(part, plusIsSpace: false), !value.isEmpty else { return nil }
                values[String(segment.dropFirst().dropLast())] = value
            } else if part != segment {
                return nil
            }
        }
        return values
    }
}
