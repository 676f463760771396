/// What an event rule is known by: its name is unique on its bus.
struct RuleKey: Hashable, Sendable {
    let bus: String
    let name: String

    init(bus: String, name: String) {
        self.bus = bus
        self.name = name
    }

    /// Nil for what is not the ARN of an event rule, `arn:aws:events:REGION:ACCOUNT:rule/[BUS/]NAME`.
    init?(arn: String) {
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[2] == "events" else { return nil }
        let path = parts[5].split(separator: "/", omittingEmptySubsequences: false)
        guard path.count > 1, path[0] == "rule" else { return nil }
        let bus = path.count > 2 ? path.dropFirst().dropLast().joined(separator: "/") : ResourceSet.defaultBusName
        self.init(bus: bus, name: String(path[path.count - 1]))
    }

    init(_ rule: EventRule) { self.init(bus: rule.busName, name: rule.name) }
}
