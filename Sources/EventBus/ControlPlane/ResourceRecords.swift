import Documents
import Records
import Rules

/// What came by API, by what it is known by in the store.
enum ResourceKey: Hashable, Sendable {
    case bus(String)
    case policy(String)
    case connection(String)
    case destination(String)
    case rule(RuleKey)
    case topicRule(String)

    var recordKey: RecordKey {
        switch self {
        case .bus(let name): RecordKey(.bus, name)
        case .policy(let bus): RecordKey(.busPolicy, bus)
        case .connection(let name): RecordKey(.connection, name)
        case .destination(let name): RecordKey(.apiDestination, name)
        case .rule(let key): RecordKey(.eventRule, key.bus, key.name)
        case .topicRule(let name): RecordKey(.topicRule, name)
        }
    }

    /// What a record is of; nil for other kinds.
    init?(_ key: RecordKey) {
        let texts = key.bytes.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        switch (key.kind, texts.count) {
        case (.bus, 1): self = .bus(texts[0])
        case (.busPolicy, 1): self = .policy(texts[0])
        case (.connection, 1): self = .connection(texts[0])
        case (.apiDestination, 1): self = .destination(texts[0])
        case (.eventRule, 2): self = .rule(RuleKey(bus: texts[0], name: texts[1]))
        case (.topicRule, 1): self = .topicRule(texts[0])
        default: return nil
        }
    }

    /// What kept deliveries call it; nil for what is no rule.
    var ruleText: String? {
        switch self {
        case .rule(let key): "\(key.bus)/\(key.name)"
        case .topicRule(let name): name
        default: nil
        }
    }

    /// The bus that it is on, or says something of.
    fileprivate var bus: String? {
        switch self {
        case .rule(let key): key.bus
        case .policy(let bus): bus
        default: nil
        }
    }
}

/// What of the registry has changed and is to be kept, and the order in which it came.
struct ResourceNotes: Sendable {
    /// Each keeps its place among its like.
    private var places: [ResourceKey: Int64] = [:]
    private var lastPlace: Int64 = 0
    private var touched: Set<ResourceKey> = []
    /// What the store has, and what is not in force.
    private var leftOut: Set<ResourceKey> = []

    mutating func touch(_ key: ResourceKey) {
        touched.insert(key)
        leftOut.remove(key)
    }

    /// Notes what stays in the store and is not in force; it keeps its place.
    mutating func leaveOut(_ key: ResourceKey, place: Int64) {
        leftOut.insert(key)
        lastPlace = max(lastPlace, place)
    }

    func isLeftOut(_ key: ResourceKey) -> Bool { leftOut.contains(key) }

    /// Removes what was left out from the store; answers false where nothing was.
    mutating func removeLeftOut(_ key: ResourceKey) -> Bool {
        guard leftOut.contains(key) else { return false }
        touch(key)
        return true
    }

    /// Removes what was left out of a bus that goes.
    mutating func removeLeftOut(ofBus bus: String) {
        for key in leftOut where key.bus == bus { touch(key) }
    }

    mutating func takeTouched() -> Set<ResourceKey> {
        defer { touched = [] }
        return touched
    }

    mutating func place(of key: ResourceKey) -> Int64 {
        if let place = places[key] { return place }
        lastPlace += 1
        places[key] = lastPlace
        return lastPlace
    }

    mutating func forget(_ key: ResourceKey) { places[key] = nil }

    mutating func restore(_ key: ResourceKey, place: Int64) {
        places[key] = place
        lastPlace = max(lastPlace, place)
    }
}

extension ResourceRegistry {
    /// What is to be kept of what has changed since this was asked last.
    mutating func takeRecordChanges() -> [RecordChange] {
        notes.takeTouched().map { key in
            guard let write = writing(key) else {
                notes.forget(key)
                return .remove(key.recordKey)
            }
            var writer = RecordWriter()
            writer.add(notes.place(of: key))
            write(&writer)
            return .put(KeptRecord(key.recordKey, writer.bytes))
        }
    }

    /// What writes the fields; nil for what is not there any more.
    private func writing(_ key: ResourceKey) -> ((inout RecordWriter) -> Void)? {
        switch key {
        case .bus(let name): (name == ResourceSet.defaultBusName ? defaultBus : buses[name]).map { bus in { bus.write(to: &$0) } }
        case .policy(let bus): policies[bus].map { policy in { $0.add(policy.json) } }
        case .connection(let name): connections[name].map { connection in { connection.write(to: &$0) } }
        case .destination(let name): destinations[name].map { destination in { destination.write(to: &$0) } }
        case .rule(let key): eventRules[key].map { rule in { rule.write(to: &$0) } }
        case .topicRule(let name): topicRules[name].map { rule in { rule.write(to: &$0) } }
        }
    }
}

extension BusDeclaration {
    fileprivate func write(to writer: inout RecordWriter) {
        writer.add(name)
        writer.add(details)
        writer.add(location.description)
        writer.add(createdMilliseconds ?? 0)
        writer.add(modifiedMilliseconds ?? createdMilliseconds ?? 0)
    }
}

extension ConnectionDeclaration {
    /// With its secrets: the file is for the broker's user alone.
    fileprivate func write(to writer: inout RecordWriter) {
        writer.add(name)
        writer.add(id)
        writer.add(description)
        writer.add(authorizationType)
        // What came as JSON is JSON again.
        let json = parameters.flatMap { try? $0.json(name) }
        writer.add(json) { $0.add($1) }
        writer.add(location.description)
        writer.add(times?.created ?? 0)
        writer.add(times?.modified ?? 0)
        writer.add(authorizedMilliseconds ?? 0)
    }
}

extension APIDestinationDeclaration {
    fileprivate func write(to writer: inout RecordWriter) {
        writer.add(name)
        writer.add(destination.id)
        writer.add(description)
        writer.add(connectionText)
        writer.add(endpointText)
        writer.add(destination.method)
        writer.add(Int64(destination.callsPerSecond))
        writer.add(location.description)
        writer.add(times?.created ?? 0)
        writer.add(times?.modified ?? 0)
    }
}

extension EventRule {
    fileprivate func write(to writer: inout RecordWriter) {
        writer.add(name)
        writer.add(busName)
        writer.add(isEnabled)
        writer.add(patternText)
        writer.add(schedule?.text)
        writer.add(details)
        writer.add(location.description)
        writer.add(targets) { $0.add($1.definition) }
    }
}

extension TopicRule {
    fileprivate func write(to writer: inout RecordWriter) {
        writer.add(name)
        writer.add(isEnabled)
        writer.add(sql)
        writer.add(definition.version.rawValue)
        writer.add(definition.description)
        writer.add(definition.actions)
        writer.add(definition.errorAction) { $0.add($1) }
        writer.add(definition.tags)
        writer.add(definition.createdMilliseconds ?? 0)
        writer.add(location.description)
    }
}

extension RecordWriter {
    fileprivate mutating func add(_ details: ResourceDetails) {
        add(details.description)
        add(details.roleARN)
        add(details.tags)
    }
}
