/// What a target of a rule gets: at most one of `Input`, `InputPath` and `InputTransformer` says so, else it is the whole event.
package enum TargetInput: Sendable {
    case wholeEvent
    /// `Input`: this JSON text, delivered as it is.
    case constant([UInt8])
    /// `InputPath`: the selected value as JSON; a string arrives with its quotes.
    case path(EventPath)
    case transformer(InputTransformer)

    /// The longest `Input`, in bytes (the service counts 8,192 characters).
    package static let constantBytesMax = 8_192

    /// `Input`: checks that the text is JSON, as the service does, and keeps its spelling.
    package static func constant(json: [UInt8]) throws(JSONError) -> TargetInput {
        _ = try JSONDocument(parsing: json, limits: JSONLimits(bytesMax: constantBytesMax))
        return .constant(json)
    }

    /// The payload for one event, or nil if `InputPath` selects nothing: then there is nothing to deliver.
    package func payload(for event: JSONView, reserved: ReservedVariables) throws(TransformError) -> [UInt8]? {
        switch self {
        case .wholeEvent: event.rawJSON
        case .constant(let json): json
        case .path(let path): path.selection(in: event)?.rawJSON
        case .transformer(let transformer): try transformer.transform(event, reserved: reserved)
        }
    }
}
