package import Documents

/// Finds the API route for a method and a path, as API Gateway's HTTP APIs choose it: the most specific path wins, whatever the order
/// in the documents; a literal segment goes before `{name}`, and that before `{name+}`, which takes the rest of the path.
package struct RouteTable: Sendable {
    private struct Entry: Sendable {
        /// `nil` takes every method.
        let method: String?
        let segments: [APIRoute.Segment]
        let route: EventRoute
    }

    /// Ordered from the most specific path to the least; of equal paths, those with a method first.
    private let entries: [Entry]

    /// - Throws: for two routes, in different documents, that take the same requests.
    package init(_ routes: [APIRoute]) throws(DocumentError) {
        var problems = ProblemCollector()
        var places: [[String]: SourceLocation] = [:]
        var ranked: [(ranks: [Int], entry: Entry)] = []
        for route in routes {
            let shape = [route.method ?? "ANY"] + route.segments.map(\.shape)
            if let earlier = places.updateValue(route.location, forKey: shape) {
                problems.add("\(shape[0]) \(route.path) is already routed at \(earlier)", at: route.location)
            }
            let entry = Entry(method: route.method, segments: route.segments, route: EventRoute(route))
            ranked.append((route.segments.map(\.rank) + [route.method == nil ? 1 : 0], entry))
        }
        try problems.finish()
        entries = ranked.sorted { $0.ranks.lexicographicallyPrecedes($1.ranks) }.map(\.entry)
    }

    /// What a request is to be answered with.
    enum Match {
        case route(EventRoute, pathParameters: [String: String])
        case none
        /// The path has a broken escape.
        case malformedPath
    }

    /// Looks up a path that is still percent-encoded, without its query.
    ///
    /// A slash that was encoded stays inside its segment.
    func match(method: String, path: some StringProtocol) -> Match {
        var levels: [String] = []
        for part in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let level = PercentEncoding.decode(part, plusIsSpace: false) else { return .malformedPath }
            levels.append(level)
        }
        for entry in entries where entry.method == nil || entry.method == method {
            if let parameters = Self.match(entry.segments, levels) { return .route(entry.route, pathParameters: parameters) }
        }
        return .none
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
