import Documents
package import Rules

/// A rule as PutRule has it.
package struct NewRule: Sendable {
    package var name: String
    /// The name or the ARN of its bus.
    package var bus: String
    /// JSON text.
    package var pattern: String?
    package var schedule: String?
    package var isEnabled: Bool
    /// The tags are for a new rule: one that is there keeps its own.
    package var details: ResourceDetails

    package init(
        name: String, bus: String = ResourceSet.defaultBusName, pattern: String?, schedule: String? = nil, isEnabled: Bool = true,
        details: ResourceDetails = ResourceDetails()
    ) {
        self.name = name
        self.bus = bus
        self.pattern = pattern
        self.schedule = schedule
        self.isEnabled = isEnabled
        self.details = details
    }
}

/// A rule as the API describes it.
package struct RuleDescription: Sendable, Equatable {
    package let name: String
    package let arn: String
    package let bus: String
    package let pattern: String?
    package let schedule: String?
    package let isEnabled: Bool
    package let details: ResourceDetails
    /// The place in the template that the rule comes from; nil for one that came by API.
    package let managedBy: String?

    init(_ rule: EventRule, _ registry: borrowing ResourceRegistry) {
        name = rule.name
        arn = rule.arn
        bus = rule.busName
        pattern = rule.patternText
        schedule = rule.schedule?.text
        isEnabled = rule.isEnabled
        details = rule.details
        managedBy = registry.isOfTemplate(rule: .init(rule)) ? rule.location.description : nil
    }
}

extension ControlPlane {
    /// Makes a rule, or replaces one that came by API; that keeps its targets, its tags and its place among the others.
    ///
    /// - Returns: the rule's ARN.
    package func putRule(_ new: NewRule) throws(ControlError) -> String {
        let key = Self.key(new.name, onBus: new.bus)
        // An empty text stands for none.
        let text = new.pattern.flatMap { $0.isEmpty ? nil : $0 }
        let schedule = try Self.schedule(new.schedule, onBus: key.bus)
        guard text != nil || schedule != nil else {
            throw ControlError(.validation, "Parameter(s) EventPattern or ScheduleExpression must be specified.")
        }
        let pattern = try text.map(Self.pattern)
        let origin = origin("PutRule")
        return try change { (registry) throws(ControlError) in
            try registry.requireBus(key.bus)
            let known = registry.rule(key)
            if let known { try registry.refuseTemplate(known) }
            if known == nil, registry.ruleCount(onBus: key.bus) >= limits.rulesPerBusMax { throw .tooMany }
            var details = new.details
            if let known { details.tags = known.details.tags }
            let rule = EventRule(
                name: key.name, busName: key.bus, isEnabled: new.isEnabled, pattern: pattern, patternText: text,
                schedule: schedule, targets: known?.targets ?? [], details: details, location: origin)
            registry.put(rule)
            return rule.arn
        }
    }

    /// Compiles a pattern; what it is refused for is said in the service's words.
    package static func pattern(_ text: String) throws(ControlError) -> EventPattern {
        do throws(EventPatternError) { return try EventPattern(parsing: Array(text.utf8)) } catch {
            let isKnown = error.message.hasPrefix("Event pattern is not valid.")
            throw ControlError(.invalidEventPattern, isKnown ? error.message : "Event pattern is not valid. Reason: \(error.message)")
        }
    }

    /// Reads a schedule; an empty text stands for none.
    static func schedule(_ text: String?, onBus bus: String) throws(ControlError) -> EventRule.Schedule? {
        guard let text, !text.isEmpty else { return nil }
        guard bus == ResourceSet.defaultBusName else {
            throw ControlError(.validation, "ScheduleExpression is supported only on the default event bus.")
        }
        do throws(ScheduleExpressionError) {
            return EventRule.Schedule(expression: try ScheduleExpression(parsing: text), text: text)
        } catch {
            throw ControlError(.validation, ScheduleExpressionError.message)
        }
    }

    /// Deletes a rule that came by API; one that is not there is deleted already.
    package func deleteRule(_ name: String, onBus bus: String) throws(ControlError) {
        let key = Self.key(name, onBus: bus)
        try change { (registry) throws(ControlError) in
            try registry.requireBus(key.bus)
            guard let rule = registry.rule(key) else {
                _ = registry.notes.removeLeftOut(.rule(key))
                return
            }
            try registry.refuseTemplate(rule)
            guard rule.targets.isEmpty else { throw ControlError(.validation, "Rule can't be deleted since it has targets.") }
            registry.remove(rule: key)
        }
    }

    package func setRule(_ name: String, onBus bus: String, enabled: Bool) throws(ControlError) {
        try change { (registry) throws(ControlError) in
            var rule = try registry.changeable(Self.key(name, onBus: bus))
            rule.isEnabled = enabled
            registry.put(rule)
        }
    }

    // MARK: - Looking

    package func rule(_ name: String, onBus bus: String) throws(ControlError) -> RuleDescription {
        try look { (registry) throws(ControlError) in RuleDescription(try registry.required(Self.key(name, onBus: bus)), registry) }
    }

    /// All rules of a bus whose names begin so, in the order of their names.
    package func rules(onBus bus: String, withPrefix prefix: String) throws(ControlError) -> [RuleDescription] {
        let bus = EventBusReader.name(inReference: bus)
        return try look { (registry) throws(ControlError) in
            try registry.requireBus(bus)
            return registry.rules(onBus: bus).filter { $0.name.hasPrefix(prefix) }.sorted { $0.name < $1.name }
                .map { RuleDescription($0, registry) }
        }
    }

    /// The names of all rules of a bus with a target of this ARN, in their order.
    package func ruleNames(onBus bus: String, withTarget arn: String) throws(ControlError) -> [String] {
        let bus = EventBusReader.name(inReference: bus)
        return try look { (registry) throws(ControlError) in
            try registry.requireBus(bus)
            return registry.rules(onBus: bus).filter { $0.targets.contains { $0.arn == arn } }.map(\.name).sorted()
        }
    }

    static func key(_ name: String, onBus bus: String) -> RuleKey {
        .init(bus: EventBusReader.name(inReference: bus), name: name)
    }
}
