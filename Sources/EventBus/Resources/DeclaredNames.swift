import Documents

/// The names of what there is, for those who refer to it.
struct DeclaredNames: Sendable {
    var buses: [String]
    var queues: [String]
    var destinations: [String: APIDestinationDeclaration] = [:]
    var calls = CallSettings()
    /// For what was read before and may have outlived what it refers to.
    var admitsAll = false

    /// The API destination that an ARN names; where it may have gone, one that cannot be called.
    func requireDestination(_ arn: CallARN, what: String, at location: SourceLocation) throws(DocumentError) -> APIDestination {
        let found = destinations[arn.name]
        if admitsAll, found.map({ arn.names(id: $0.destination.id) }) != true { return .missing(arn) }
        guard let found else {
            throw DocumentError(
                "\(what): API destination \(arn.name) does not exist\(suggestion(for: arn.name, among: Array(destinations.keys)))",
                at: location)
        }
        guard arn.names(id: found.destination.id) else {
            throw DocumentError("\(what): the API destination \(arn.name) has another ARN now: \(found.arn)", at: location)
        }
        return found.destination
    }

    func requireBus(_ name: String, at location: SourceLocation) throws(DocumentError) {
        guard admitsAll || buses.contains(name) else {
            throw DocumentError("Event bus \(name) does not exist\(suggestion(for: name, among: buses))", at: location)
        }
    }

    func requireQueue(_ name: String, at location: SourceLocation) throws(DocumentError) {
        guard admitsAll || queues.contains(name) else {
            throw DocumentError("Queue \(name) does not exist\(suggestion(for: name, among: queues))", at: location)
        }
    }
}

/// Names that must be unique, with the place of the first use.
struct NameTable {
    let kind: String
    private var places: [String: SourceLocation] = [:]
    private(set) var all: [String] = []

    init(kind: String) { self.kind = kind }

    mutating func declare(_ name: String, at location: SourceLocation, _ problems: inout ProblemCollector) {
        if let first = places[name] {
            problems.add("the \(kind) `\(name)` exists already, see \(first)", at: location)
            return
        }
        places[name] = location
        all.append(name)
    }
}
