package import Documents
import Hummingbird

/// Finds the API route for a method and a path, as API Gateway's HTTP APIs choose it: the most specific path wins, whatever the order
/// in the documents; a literal segment goes before `{name}`, and that before `{name+}`, which takes the rest of the path.
package struct RouteTable: Sendable {
    private struct Entry: Sendable {
        /// `nil` takes every method.
        let method: String?
        let segments: [APIRoute.Segment]
        let route: CompiledRoute
    }

    /// Ordered from the most specific path to the least; of equal paths, those with a method first.
    private let entries: [Entry]
    /// Whether all routes are those of REST APIs.
    ///
    /// Then what is no route is answered as they answer it.
    let isREST: Bool
    private let hasAuthorizers: Bool

    /// - Throws: for two routes, in different documents, that take the same requests; for mistakes of their templates and models.
    package init(_ routes: [APIRoute]) throws(DocumentError) {
        var problems = ProblemCollector()
        var places: [[String]: SourceLocation] = [:]
        var ranked: [(ranks: [Int], entry: Entry)] = []
        for route in routes {
            let shape = [route.method ?? "ANY"] + route.segments.map(\.shape)
            if let earlier = places.updateValue(route.location, forKey: shape) {
                problems.add("\(shape[0]) \(route.path) is already routed at \(earlier)", at: route.location)
            }
            let compiled = problems.collect { () throws(DocumentError) in try CompiledRoute(route) }
            guard let compiled else { continue }
            let entry = Entry(method: route.method, segments: route.segments, route: compiled)
            ranked.append((route.segments.map(\.rank) + [route.method == nil ? 1 : 0], entry))
        }
        try problems.finish()
        hasAuthorizers = routes.contains { $0.authorizer != nil }
        isREST = !routes.isEmpty && routes.allSatisfy(\.isREST)
        entries = ranked.sorted { $0.ranks.lexicographicallyPrecedes($1.ranks) }.map(\.entry)
    }

    /// What a request is to be answered with.
    enum Match {
        case route(CompiledRoute, pathParameters: [String: String])
        case none
        /// The path has a broken escape.
        case malformedPath
    }

    /// Looks up a path that is still percent-encoded, without its query.
    ///
    /// A slash that was encoded stays inside its segment.
    func match(method: String, path: some StringProtocol) -> Match {
        guard let levels = Self.levels(of: path) else { return .malformedPath }
        for entry in entries where entry.method == nil || entry.method == method {
            if let parameters = Self.match(entry.segments, levels) { return .route(entry.route, pathParameters: parameters) }
        }
        return .none
    }

    /// Whether a request leads to a route that judges callers by itself, or is a page's question before its request, which shows no token.
    func judgesCallers(of request: Request, path: some StringProtocol) -> Bool {
        guard hasAuthorizers || request.method == .options else { return false }
        switch match(method: request.method.rawValue, path: path) {
        case .route(let route, _): return route.route.authorizer != nil
        case .none: return crossOriginPolicy(path: path)?.preflight(request) != nil
        case .malformedPath: return false
        }
    }

    /// What an HTTP API with a route of this path, for whatever method, says about pages of other origins.
    func crossOriginPolicy(path: some StringProtocol) -> CrossOriginPolicy? {
        guard let levels = Self.levels(of: path) else { return nil }
        for entry in entries where Self.match(entry.segments, levels) != nil {
            if let policy = entry.route.route.crossOriginPolicy { return policy }
        }
        return nil
    }

    /// Nil for a broken escape.
    private static func levels(of path: some StringProtocol) -> [String]? {
        var levels: [String] = []
        for part in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let level = PercentEncoding.decode(part, plusIsSpace: false) else { return nil }
            levels.append(level)
        }
        return levels
    }

    private static func match(_ segments: [APIRoute.Segment], _ levels: [String]) -> [String: String]? {
        // The root path has no segments in a document, and one empty level in a request.
        if segments.isEmpty { return levels == [""] ? [:] : nil }
        var parameters: [String: String] = [:]
        for (index, segment) in segments.enumerated() {
            guard index < levels.count else { return nil }
            switch segment {
            case .literal(let text):
                // Bytes, not canonical equivalence: a path is not prose.
                if !text.utf8.elementsEqual(levels[index].utf8) { return nil }
            case .parameter(let name):
                if levels[index].isEmpty { return nil }
                parameters[name] = levels[index]
            case .greedy(let name):
                let rest = levels[index...].joined(separator: "/")
                if rest.isEmpty { return nil }
                parameters[name] = rest
                return parameters
            }
        }
        return segments.count == levels.count ? parameters : nil
    }
}

extension APIRoute.Segment {
    /// Smaller is more specific.
    fileprivate var rank: Int {
        switch self {
        case .literal: 0
        case .parameter: 1
        case .greedy: 2
        }
    }

    /// The same for segments that take the same requests.
    fileprivate var shape: String {
        switch self {
        case .literal(let text): text
        case .parameter: "{}"
        case .greedy: "{+}"
        }
    }
}
