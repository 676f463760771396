/// What an event rule is known by: its name is unique on its bus.
struct RuleKey: Hashable, Sendable {
    let bus: String
    let name: String

    init(bus: String, name: String) {
        self.bus = bus
        self.name = name
    }

    init(_ rule: EventRule) { self.init(bus: rule.busName, name: rule.name) }
}
