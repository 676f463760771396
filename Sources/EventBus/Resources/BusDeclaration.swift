import Documents

/// An event bus.
struct BusDeclaration: Sendable {
    let name: String
    var details: ResourceDetails
    let location: SourceLocation
    /// Milliseconds since 1970; nil for a bus of a template.
    var createdMilliseconds: Int64?
    var modifiedMilliseconds: Int64?

    var arn: String { Self.arn(of: name) }

    static func arn(of name: String) -> String {
        "arn:aws:events:\(TemplateScope.region):\(TemplateScope.accountID):event-bus/\(name)"
    }
}

/// Reads an `AWS::Events::EventBus`.
enum EventBusReader {
    // A description and tags change nothing; every other property would change who may do what, or where failures go.
    private static let properties = ["Name", "Description", "Tags"]

    static func read(_ resource: TemplateDocument.Resource) throws(DocumentError) -> BusDeclaration {
        let what = "AWS::Events::EventBus `\(resource.logicalID)`"
        try refuseUnknown(resource.properties, what: what, known: properties)
        let value = try resource.properties.required("Name", in: what)
        let name = try value.text("Name")
        let isValid = (1...256).contains(name.utf8.count) && name.utf8.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: "/") }
        guard isValid else {
            throw DocumentError("Name `\(name)` must be 1 to 256 letters, digits and any of `.-_/`", at: value.location)
        }
        return BusDeclaration(name: name, details: try ResourceDetails(resource.properties), location: resource.location)
    }

    /// The name in a bus's ARN, or the text itself.
    static func name(inReference reference: String) -> String {
        guard reference.hasPrefix("arn:"), let range = reference.firstRange(of: ":event-bus/") else { return reference }
        return String(reference[range.upperBound...])
    }
}
