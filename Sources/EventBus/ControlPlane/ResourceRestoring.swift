import Documents
import Records
import Rules

/// Reads what came by API before a restart back into the registry, as if it came again.
///
/// What the templates declare by now, or what lacks its bus, is left out and stays in the store: a later start may find its place.
struct ResourceRestoring {
    var registry: ResourceRegistry
    /// What is not in force, and why.
    private(set) var leftOut: [String] = []
    /// Rules that are not in force, or not whole, as deliveries name them.
    private(set) var incompleteRules: Set<String> = []
    private(set) var count = 0
    private let host: SQLHost
    /// Targets and actions may name what is gone by now, as they may when it goes while Crema runs.
    private var declared = DeclaredNames(buses: [], queues: [])

    /// Reads the records of resources; others are passed over.
    ///
    /// - Throws: for a record of another version.
    init(_ registry: ResourceRegistry, _ records: [KeptRecord], host: SQLHost) throws(UnreadableRecord) {
        self.registry = registry
        self.host = host
        // Each kind may refer to those before it; within a kind they have the order in which they came.
        for kind in [RecordKind.bus, .busPolicy, .connection, .apiDestination, .eventRule, .topicRule] {
            var found: [(place: Int64, key: RecordKey, reader: RecordReader)] = []
            for record in records where record.key.kind == kind {
                var reader = try RecordReader(record)
                found.append((try reader.number(), record.key, reader))
            }
            if kind == .eventRule {
                declared = self.registry.declared
                declared.admitsAll = true
            }
            for (place, key, reader) in found.sorted(by: { $0.place < $1.place }) {
                var reader = reader
                try restore(key, place, &reader)
            }
        }
        self.registry.linkDestinations()
    }

    private mutating func restore(_ key: RecordKey, _ place: Int64, _ reader: inout RecordReader) throws(UnreadableRecord) {
        do throws(LeftOut) {
            let name: ResourceKey
            switch key.kind {
            case .bus: name = try bus(&reader)
            case .busPolicy: name = try policy(String(decoding: key.bytes, as: UTF8.self), &reader)
            case .connection: name = try connection(&reader)
            case .apiDestination: name = try destination(&reader)
            case .eventRule: name = try rule(&reader)
            default: name = try topicRule(&reader)
            }
            registry.notes.restore(name, place: place)
            count += 1
        } catch {
            switch error {
            case .unreadable(let error): throw error
            case .reason(let reason):
                leftOut.append(reason)
                guard let left = ResourceKey(key) else { return }
                registry.notes.leaveOut(left, place: place)
                if let rule = left.ruleText { incompleteRules.insert(rule) }
            }
        }
    }

    private enum LeftOut: Error {
        case reason(String)
        case unreadable(UnreadableRecord)
    }

    private static func read<Value>(_ body: () throws(UnreadableRecord) -> Value) throws(LeftOut) -> Value {
        do throws(UnreadableRecord) { return try body() } catch { throw .unreadable(error) }
    }

    private static func read<Value>(_ what: String, _ body: () throws(DocumentError) -> Value) throws(LeftOut) -> Value {
        do throws(DocumentError) { return try body() } catch {
            throw .reason("\(what): \(error.problems.map(\.message).joined(separator: "; "))")
        }
    }

    private static func read<Value>(_ what: String, _ body: () throws(ControlError) -> Value) throws(LeftOut) -> Value {
        do throws(ControlError) { return try body() } catch { throw .reason("\(what): \(error.message)") }
    }

    /// A template's goes before.
    private static func refuse(_ what: String, at location: SourceLocation?) throws(LeftOut) {
        if let location { throw .reason("\(what): it is declared at \(location) by now") }
    }

    private static func document(_ json: [UInt8], at location: SourceLocation, _ what: String) throws(LeftOut) -> Node {
        let limits = JSONLimits(bytesMax: max(1, json.count))
        guard let root = try? JSONDocument(parsing: json, limits: limits).root else { throw .reason("\(what): it is not JSON") }
        return Node(root, at: location)
    }

    // MARK: - Each kind

    private mutating func bus(_ reader: inout RecordReader) throws(LeftOut) -> ResourceKey {
        let bus = try Self.read { () throws(UnreadableRecord) in
            BusDeclaration(
                name: try reader.text(), details: try reader.details(), location: SourceLocation(file: try reader.text()),
                createdMilliseconds: try reader.number(), modifiedMilliseconds: try reader.number())
        }
        let isBuiltIn = bus.name == ResourceSet.defaultBusName
        try Self.refuse("event bus \(bus.name)", at: isBuiltIn ? nil : registry.bus(bus.name)?.location)
        registry.put(bus)
        return .bus(bus.name)
    }

    private mutating func policy(_ bus: String, _ reader: inout RecordReader) throws(LeftOut) -> ResourceKey {
        let json = try Self.read { () throws(UnreadableRecord) in try reader.field() }
        let what = "the policy of event bus \(bus)"
        guard registry.bus(bus) != nil else { throw .reason("\(what): there is no such bus any more") }
        let policy = try Self.read(what) { () throws(ControlError) in try BusPolicy(parsing: String(decoding: json, as: UTF8.self)) }
        registry.put(policy, ofBus: bus)
        return .policy(bus)
    }

    private mutating func connection(_ reader: inout RecordReader) throws(LeftOut) -> ResourceKey {
        let (name, id, description, type, parameters, location) = try Self.read { () throws(UnreadableRecord) in
            (
                try reader.text(), try reader.optionalText(), try reader.optionalText(), try reader.text(),
                try reader.optional { (reader) throws(UnreadableRecord) in try reader.field() },
                SourceLocation(file: try reader.text())
            )
        }
        let what = "connection \(name)"
        try Self.refuse(what, at: registry.connection(name)?.location)
        var connection: ConnectionDeclaration
        if let parameters {
            let properties = Node(
                members: [
                    ("Description", description.map { .string($0, at: location) }),
                    ("AuthorizationType", .string(type, at: location)),
                    ("AuthParameters", try Self.document(parameters, at: location, what)),
                ], at: location)
            connection = try Self.read(what) { () throws(DocumentError) in
                try ConnectionReader(properties: properties, what: what).read(name: name, id: id, at: location)
            }
        } else {
            connection = ConnectionDeclaration(
                name: name, id: id, description: description, authorizationType: type, parameters: nil, connection: nil, told: nil,
                location: location)
        }
        (connection.times, connection.authorizedMilliseconds) = try Self.read { () throws(UnreadableRecord) in
            (try reader.times(), try reader.number())
        }
        registry.put(connection)
        return .connection(name)
    }

    private mutating func destination(_ reader: inout RecordReader) throws(LeftOut) -> ResourceKey {
        let (request, id, location, times) = try Self.read { () throws(UnreadableRecord) in
            let name = try reader.text()
            let id = try reader.optionalText()
            let request = APIDestinationRequest(
                name: name, description: try reader.optionalText(), connectionARN: try reader.text(), endpoint: try reader.text(),
                method: try reader.text(), callsPerSecond: Int(try reader.number()))
            return (request, id, SourceLocation(file: try reader.text()), try reader.times())
        }
        let what = "API destination \(request.name)"
        try Self.refuse(what, at: registry.destination(request.name)?.location)
        var declaration = try Self.read(what) { () throws(ControlError) in
            try ControlPlane.read(request, id: id, at: location, registry, mayLackConnection: true)
        }
        declaration.times = times
        registry.put(declaration)
        return .destination(request.name)
    }

    private mutating func rule(_ reader: inout RecordReader) throws(LeftOut) -> ResourceKey {
        let key = try Self.read { () throws(UnreadableRecord) in
            let name = try reader.text()
            return RuleKey(bus: try reader.text(), name: name)
        }
        let (isEnabled, patternText, scheduleText, details, location, definitions) = try Self.read { () throws(UnreadableRecord) in
            (
                try reader.flag(), try reader.optionalText(), try reader.optionalText(), try reader.details(),
                SourceLocation(file: try reader.text()), try reader.list { (reader) throws(UnreadableRecord) in try reader.field() }
            )
        }
        let what = "rule \(key.bus)/\(key.name)"
        try Self.refuse(what, at: registry.rule(key)?.location)
        guard registry.bus(key.bus) != nil else { throw .reason("\(what): there is no event bus \(key.bus) any more") }
        let (pattern, schedule) = try Self.read(what) { () throws(ControlError) in
            (try patternText.map(ControlPlane.pattern), try ControlPlane.schedule(scheduleText, onBus: key.bus))
        }
        var targets: [Target] = []
        for definition in definitions {
            let node = try Self.document(definition, at: location, what)
            do throws(DocumentError) {
                let target = try TargetReader(node, declared: declared).read()
                targets.append(target)
                guard case .call(let destination, _) = target.destination, case .failure(.destination) = destination.connection else {
                    continue
                }
                leftOut.append("a target of \(what): there is no API destination \(destination.name), its deliveries fail")
                if registry.notes.isLeftOut(.destination(destination.name)) { incompleteRules.insert("\(key.bus)/\(key.name)") }
            } catch {
                incompleteRules.insert("\(key.bus)/\(key.name)")
                leftOut.append("a target of \(what): \(error.problems.map(\.message).joined(separator: "; "))")
            }
        }
        registry.put(
            EventRule(
                name: key.name, busName: key.bus, isEnabled: isEnabled, pattern: pattern, patternText: patternText, schedule: schedule,
                targets: targets, details: details, location: location))
        return .rule(key)
    }

    private mutating func topicRule(_ reader: inout RecordReader) throws(LeftOut) -> ResourceKey {
        let (name, isEnabled, sql, version, description) = try Self.read { () throws(UnreadableRecord) in
            (try reader.text(), try reader.flag(), try reader.text(), try reader.text(), try reader.optionalText())
        }
        let (actions, errorAction, tags, created, location) = try Self.read { () throws(UnreadableRecord) in
            (
                try reader.field(), try reader.optional { (reader) throws(UnreadableRecord) in try reader.field() },
                try reader.texts(), try reader.number(), SourceLocation(file: try reader.text())
            )
        }
        let what = "topic rule \(name)"
        try Self.refuse(what, at: registry.topicRule(name)?.location)
        var members: [(name: String, value: Node?)] = [
            ("Sql", .string(sql, at: location)), ("AwsIotSqlVersion", .string(version, at: location)),
            ("Description", description.map { .string($0, at: location) }),
            ("Actions", try Self.document(actions, at: location, what)),
            ("RuleDisabled", Node(.scalar(Node.Scalar(isEnabled ? "false" : "true", kind: .boolean)), at: location)),
        ]
        if let errorAction { members.append(("ErrorAction", try Self.document(errorAction, at: location, what))) }
        let properties = Node(
            members: [("RuleName", .string(name, at: location)), ("TopicRulePayload", Node(members: members, at: location))],
            at: location)
        let resource = TemplateDocument.Resource(logicalID: name, type: "AWS::IoT::TopicRule", properties: properties, location: location)
        var rule = try Self.read(what) { () throws(DocumentError) in
            try TopicRuleReader(resource: resource, declared: declared, host: host, what: what).read()
        }
        rule.definition.tags = tags
        rule.definition.createdMilliseconds = created
        registry.put(rule)
        return .topicRule(name)
    }
}

extension RecordReader {
    fileprivate mutating func details() throws(UnreadableRecord) -> ResourceDetails {
        ResourceDetails(description: try optionalText(), roleARN: try optionalText(), tags: try texts())
    }

    fileprivate mutating func times() throws(UnreadableRecord) -> ResourceTimes {
        var times = ResourceTimes(now: try number())
        times.modified = try number()
        return times
    }
}
