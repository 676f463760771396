import EventBus
import Rules

/// What a pattern makes of an event, without a rule.
extension EventsService {
    private static let eventMembers = ["id", "account", "source", "time", "region", "detail-type"]

    func testEventPattern(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .testEventPattern, ["Event", "EventPattern"])
        let text = try members.required("EventPattern", MemberConstraint(0...4_096))
        guard let event = try members.text("Event") else { throw .constraint(nil, at: "event", "Member must not be null") }
        let pattern = try ask { (_) throws(ControlError) in try ControlPlane.pattern(text) }
        let root = try? JSONDocument(parsing: Array(event.utf8), limits: JSONLimits(bytesMax: max(1, event.utf8.count))).root
        // Which fields there are is all that the service looks at.
        guard let root, root.kind == .object, Self.eventMembers.allSatisfy({ root[$0] != nil }) else {
            throw ServiceError(.validation, "Parameter Event is not valid.")
        }
        return AnswerDocument.object(["Result": .boolean(pattern.matches(root))]).json
    }
}
