/// An integration of a REST API: mappings and templates make the call of a service from a request, and the answer from the service's.
package struct MappedIntegration: Sendable {
    package enum Action: Sendable, Equatable {
        case putEvents
        /// The queue that the integration's URI names; `nil` where the request must.
        case sendMessage(queue: String?)
        /// No service: the request's template says the status.
        case mock
    }

    /// Where a mapping puts a value.
    package enum Target: Sendable, Hashable {
        /// In lower case.
        case header(String)
        case queryString(String)
    }

    /// What happens to a body for whose media type there is no template.
    package enum Passthrough: String, Sendable, CaseIterable {
        case whenNoMatch = "when_no_match"
        /// Goes through only if there are no templates at all.
        case whenNoTemplates = "when_no_templates"
        case never
    }

    /// A template as the document has it; the gateway compiles it.
    package struct Template: Sendable {
        /// In lower case, without parameters.
        package let mediaType: String
        package let text: String
        package let location: SourceLocation
    }

    /// The answer to a caller where the service answered a status.
    package struct Answer: Sendable {
        /// Where the value of a header comes from.
        package enum Source: Sendable, Equatable {
            case constant(String)
            /// A header of the service's answer, in lower case.
            case header(String)
            case body([ParameterValue.Step])
            case context(ParameterValue.ContextVariable)
        }

        /// A regular expression for the whole status; `nil` for `default`.
        package let pattern: String?
        package let status: Int
        package let headers: [(name: String, source: Source)]
        package let templates: [Template]
        package let location: SourceLocation
    }

    package let action: Action
    package let requestParameters: [(target: Target, source: ParameterValue.Part)]
    package let requestTemplates: [Template]
    package let passthrough: Passthrough
    /// In the order of the document, `default` last.
    package let answers: [Answer]
    package let validation: RequestValidation
}

/// What a request must have before anything is done with it.
package struct RequestValidation: Sendable {
    package enum Place: String, Sendable { case path, querystring, header }

    /// A JSON schema with the definitions that it may refer to.
    package struct Model: Sendable {
        /// In lower case; `$default` for every other one.
        package let mediaType: String
        package let schema: Node
    }

    /// Parameters that must be there.
    package var parameters: [(place: Place, name: String)] = []
    package var models: [Model] = []
    /// `components.schemas`.
    package var definitions: [String: Node] = [:]

    package init() {}
}
