import Documents
import Rules

/// A compiled `AWS::Events::Rule`.
struct EventRule: Sendable {
    let name: String
    let busName: String
    var isEnabled: Bool
    /// The events that it wants; `nil` for a rule that only runs by the clock.
    let pattern: EventPattern?
    /// JSON, for people.
    let patternText: String?
    /// When it runs by the clock; only on the default bus.
    let schedule: Schedule?
    var targets: [Target]
    var details: ResourceDetails
    let location: SourceLocation

    /// When a rule is due, and how that was written.
    struct Schedule: Sendable {
        let expression: ScheduleExpression
        let text: String
    }

    /// The pattern as JSON, the schedule, or both: what people know the rule by.
    var definition: String { [patternText, schedule?.text].compactMap(\.self).joined(separator: " ") }

    var arn: String {
        let path = busName == ResourceSet.defaultBusName ? name : "\(busName)/\(name)"
        return "arn:aws:events:\(TemplateScope.region):\(TemplateScope.accountID):rule/\(path)"
    }
}

/// Reads an `AWS::Events::Rule`.
struct EventRuleReader {
    static let targetsMax = 5
    /// AWS takes 2,048 characters, and 4,096 where an account has asked for more.
    static let patternBytesMax = 4_096

    private let resource: TemplateDocument.Resource
    private let declared: DeclaredNames
    private let what: String

    init(resource: TemplateDocument.Resource, declared: DeclaredNames) {
        self.resource = resource
        self.declared = declared
        what = "AWS::Events::Rule `\(resource.logicalID)`"
    }

    func read() throws(DocumentError) -> EventRule {
        let properties = resource.properties
        var problems = ProblemCollector()
        // A role and tags have no meaning where there are no accounts; AWS demands or suggests them.
        let known = ["Name", "Description", "EventBusName", "EventPattern", "ScheduleExpression", "State", "Targets", "RoleArn", "Tags"]
        _ = problems.collect { () throws(DocumentError) in try refuseUnknown(properties, what: what, known: known) }
        let name = problems.collect { () throws(DocumentError) in try ruleName() }
        let busName = problems.collect { () throws(DocumentError) in try self.busName() }
        let isEnabled = problems.collect { () throws(DocumentError) in try self.isEnabled() }
        let pattern = problems.collect { () throws(DocumentError) in try self.pattern() }
        let schedule = problems.collect { () throws(DocumentError) in try self.schedule(bus: busName) }
        let targets = problems.collect { () throws(DocumentError) in try self.targets() }
        let details = problems.collect { () throws(DocumentError) in try ResourceDetails(resource.properties) }
        try problems.finish()
        guard let name, let busName, let isEnabled, let pattern, let schedule, let targets, let details else {
            throw DocumentError("\(what) cannot be read", at: resource.location)
        }
        guard pattern != nil || schedule != nil else {
            throw DocumentError("\(what) needs an EventPattern or a ScheduleExpression", at: resource.location)
        }
        return EventRule(
            name: name, busName: busName, isEnabled: isEnabled, pattern: pattern?.compiled, patternText: pattern?.text,
            schedule: schedule, targets: targets, details: details, location: resource.location
        )
    }

    private func ruleName() throws(DocumentError) -> String {
        guard let value = resource.properties["Name"] else { return resource.logicalID }
        let name = try value.text("Name")
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(isNameByte) else {
            throw DocumentError("Name `\(name)` must be 1 to 64 letters, digits and any of `.-_`", at: value.location)
        }
        return name
    }

    private func busName() throws(DocumentError) -> String {
        guard let value = resource.properties["EventBusName"] else { return ResourceSet.defaultBusName }
        let name = EventBusReader.name(inReference: try value.text("EventBusName"))
        try declared.requireBus(name, at: value.location)
        return name
    }

    private func isEnabled() throws(DocumentError) -> Bool {
        guard let value = resource.properties["State"] else { return true }
        switch try value.text("State") {
        case "ENABLED": return true
        case "DISABLED": return false
        case let other: throw DocumentError("State `\(other)` is not supported; ENABLED and DISABLED are", at: value.location)
        }
    }

    private func schedule(bus: String?) throws(DocumentError) -> EventRule.Schedule? {
        guard let value = resource.properties["ScheduleExpression"] else { return nil }
        guard bus == ResourceSet.defaultBusName else {
            throw DocumentError("ScheduleExpression is supported only on the default event bus.", at: value.location)
        }
        let text = try value.text("ScheduleExpression")
        do throws(ScheduleExpressionError) {
            return EventRule.Schedule(expression: try ScheduleExpression(parsing: text), text: text)
        } catch {
            throw DocumentError("\(error)", at: value.location)
        }
    }

    private func pattern() throws(DocumentError) -> (compiled: EventPattern, text: String)? {
        guard let value = resource.properties["EventPattern"] else { return nil }
        // CloudFormation takes an object, the API its JSON text.
        let json = value.isScalar ? Array(try value.text("EventPattern").utf8) : try value.json("EventPattern")
        guard json.count <= Self.patternBytesMax else {
            throw DocumentError("EventPattern is longer than \(Self.patternBytesMax) bytes", at: value.location)
        }
        do throws(EventPatternError) {
            return (try EventPattern(parsing: json), String(decoding: json, as: UTF8.self))
        } catch {
            let fault = PatternFault(in: value, of: error)
            let field = fault.path.isEmpty ? "" : ", EventPattern at `\(fault.field)`"
            throw DocumentError("\(what)\(field): \(error.message)", at: fault.location)
        }
    }

    private func targets() throws(DocumentError) -> [Target] {
        guard let value = resource.properties["Targets"] else { return [] }
        let elements = try value.elements("Targets")
        guard elements.count <= Self.targetsMax else {
            throw DocumentError("\(what) has \(elements.count) targets, but a rule has at most \(Self.targetsMax)", at: value.location)
        }
        var problems = ProblemCollector()
        var targets: [Target] = []
        for element in elements {
            let read = problems.collect { () throws(DocumentError) in try TargetReader(element, declared: declared).read() }
            guard let target = read else { continue }
            if targets.contains(where: { $0.id == target.id }) {
                problems.add("the target Id `\(target.id)` occurs more than once in \(what)", at: element.location)
            }
            targets.append(target)
        }
        try problems.finish()
        return targets
    }
}
