import Documents
import EventBus
import Rules

/// An API route that puts one event: an `EventBridge-PutEvents` integration.
struct EventRoute: Sendable {
    private let route: APIRoute
    /// Whether a request's body must be JSON.
    let readsJSONBody: Bool

    init(_ route: APIRoute) {
        self.route = route
        readsJSONBody = route.requestParameters.values.readJSONBody
    }

    /// The event that a request asks for.
    ///
    /// What an event can do without is left out where the request does not have it.
    ///
    /// - Throws: naming the first part that the request does not have, so that an absent part never becomes text or an empty value.
    func entry(for request: RouteRequest) throws(RouteError) -> PutEventsEntry {
        var entry = PutEventsEntry(
            source: try text(.source, request), detailType: try text(.detailType, request),
            detail: try text(.detail, request).map { Array($0.utf8) }, eventBusName: try text(.eventBusName, request))
        if let time = try text(.time, request) {
            guard let milliseconds = Timestamp.milliseconds(time) else {
                throw .badRequest("Time is neither an RFC 3339 timestamp nor a number of seconds since 1970")
            }
            entry.timeMilliseconds = milliseconds
        }
        if let resources = try text(.resources, request) { entry.resources = try Self.resources(resources) }
        if let header = try text(.traceHeader, request) {
            let lengths = PutEventsEntry.traceHeaderCharacters
            guard lengths.contains(header.unicodeScalars.count) else {
                throw .badRequest("TraceHeader must have \(lengths.lowerBound) to \(lengths.upperBound) characters")
            }
            entry.traceHeader = header
        }
        return entry
    }

    /// The value of a parameter; `nil` when the route does not have it, or the event can do without and the request has none.
    private func text(_ parameter: APIRoute.Parameter, _ request: RouteRequest) throws(RouteError) -> String? {
        guard let value = route.requestParameters[parameter] else { return nil }
        guard APIRoute.Parameter.required.contains(parameter) else {
            return try request.optionalText(of: value, named: parameter.rawValue)
        }
        return try request.text(of: value, named: parameter.rawValue)
    }

    /// A JSON array of text.
    private static func resources(_ text: String) throws(RouteError) -> [String] {
        let list = try? JSONDocument(parsing: Array(text.utf8)).root
        guard let list, list.kind == .array else { throw .badRequest("Resources is not a JSON array") }
        var names: [String] = []
        for element in list.elements {
            guard let name = element.stringValue else { throw .badRequest("Resources is not a JSON array of strings") }
            names.append(name)
        }
        return names
    }
}

extension ParameterValue.Part {
    /// As it is written in a document.
    var name: String {
        switch self {
        case .constant(let text): "'\(text)'"
        case .header(let name): "$request.header.\(name)"
        case .queryString(let name): "$request.querystring.\(name)"
        case .pathParameter(let name): "$request.path.\(name)"
        case .claim(let name): "$context.authorizer.claims.\(name)"
        case .context(let variable): "$context.\(variable.rawValue)"
        case .body(let steps):
            steps.reduce("$request.body") { path, step in
                switch step {
                case .member(let name): "\(path).\(name)"
                case .element(let position): "\(path)[\(position)]"
                case .all: "\(path)[*]"
                case .slice(let lower, let upper): "\(path)[\(lower.map(String.init) ?? ""):\(upper.map(String.init) ?? "")]"
                }
            }
        }
    }
}
