import Documents

/// A route, ready to be served.
struct CompiledRoute: Sendable {
    enum Work: Sendable {
        case event(EventRoute)
        case message(MessageRoute)
        case mapped(MappedRoute)
        /// The service that the route would call, and Crema does not have.
        case unserved(String)
    }

    let route: APIRoute
    let work: Work

    /// - Throws: every mistake of its templates, patterns and models.
    init(_ route: APIRoute) throws(DocumentError) {
        self.route = route
        work =
            switch route.integration {
            case .event: .event(EventRoute(route))
            case .message(let parameters): .message(MessageRoute(parameters))
            case .mapped(let integration): .mapped(try MappedRoute(integration, of: route))
            case .unserved(let service): .unserved(service)
            }
    }

    /// As in the document.
    var path: String { route.path }

    /// Whether a request's body must be JSON.
    var readsJSONBody: Bool {
        switch work {
        case .event(let route): route.readsJSONBody
        case .message(let route): route.readsJSONBody
        case .mapped, .unserved: false
        }
    }
}

extension Collection<ParameterValue> {
    /// Whether any of them selects a part of the body.
    var readJSONBody: Bool {
        contains { value in
            value.parts.contains {
                if case .body(let steps) = $0 { !steps.isEmpty } else { false }
            }
        }
    }
}
