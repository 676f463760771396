import Documents
import EventBus

/// The operations on replays.
extension EventsService {
    func startReplay(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(
            call, .startReplay, ["ReplayName", "Description", "EventSourceArn", "EventStartTime", "EventEndTime", "Destination"])
        let name = try members.required("ReplayName", .ruleName)
        let archive = Self.lastName(in: try members.required("EventSourceArn", .sourceARN), after: ":archive/")
        guard let destination = try members.object("Destination", known: ["Arn", "FilterArns"]) else {
            throw .constraint(nil, at: "destination", "Member must not be null")
        }
        let bus = Self.lastName(in: try destination.required("Arn", .arn, under: "destination."), after: ":event-bus/")
        let (start, end) = (try Self.time("EventStartTime", members), try Self.time("EventEndTime", members))
        let filter = try destination.texts("FilterArns") ?? []
        for (position, arn) in filter.enumerated() {
            guard let refusal = MemberConstraint.arn.refusal(of: arn) else { continue }
            throw .constraint(arn, at: "destination.filterArns.\(position + 1).member", refusal)
        }
        let description = try members.text("Description", .description)
        let replay = try ask { (control) throws(ControlError) in
            try control.delivery.engine.startReplay(
                try ReplayRequest(
                    name: name, archive: archive, destination: bus, filterARNs: filter, description: description, start: start, end: end))
        }
        return Self.state(of: replay)
    }

    func cancelReplay(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let name = try Self.members(call, .cancelReplay, ["ReplayName"]).required("ReplayName", .ruleName)
        let replay = try ask { (control) throws(ControlError) in try control.delivery.engine.cancelReplay(name) }
        return AnswerDocument.object(["ReplayArn": .text(Self.arn(of: replay)), "State": .text(replay.state.rawValue)]).json
    }

    func describeReplay(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let name = try Self.members(call, .describeReplay, ["ReplayName"]).required("ReplayName", .ruleName)
        let replay = try ask { (control) throws(ControlError) in try control.delivery.engine.describeReplay(name) }
        let destination = AnswerDocument.object([
            "Arn": .text(Self.arn(ofBus: replay.bus)), "FilterArns": replay.filterARNs.isEmpty ? nil : .texts(replay.filterARNs),
        ])
        return AnswerDocument.object([
            "ReplayName": .text(name), "ReplayArn": .text(Self.arn(of: replay)), "Description": replay.description.map { .text($0) },
            "State": .text(replay.state.rawValue), "EventSourceArn": .text(ArchiveDescription.arn(of: replay.archive)),
            "Destination": destination, "EventStartTime": .seconds(milliseconds: replay.range.lowerBound),
            "EventEndTime": .seconds(milliseconds: replay.range.upperBound),
            "EventLastReplayedTime": replay.lastReplayedMilliseconds.map { .seconds(milliseconds: $0) },
            "ReplayStartTime": .seconds(milliseconds: replay.startedMilliseconds),
            "ReplayEndTime": replay.endedMilliseconds.map { .seconds(milliseconds: $0) },
        ]).json
    }

    func listReplays(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .listReplays, ["NamePrefix", "State", "EventSourceArn", "Limit", "NextToken"])
        let prefix = try members.text("NamePrefix", .ruleName) ?? ""
        let source = try members.text("EventSourceArn", .sourceARN)
        let state = try members.choice("State", of: Self.states)
        try Self.checkFilters(members, of: "ListReplays")
        let all = control.delivery.engine.replays().filter { replay in
            replay.name.hasPrefix(prefix) && (source.map { Self.lastName(in: $0, after: ":archive/") == replay.archive } ?? true)
                && (state.map { $0 == replay.state.rawValue } ?? true)
        }
        let (page, next) = try Self.page(all.sorted { $0.name < $1.name }, members, name: \.name)
        let list = page.map { replay in
            AnswerDocument.object([
                "ReplayName": .text(replay.name), "EventSourceArn": .text(ArchiveDescription.arn(of: replay.archive)),
                "State": .text(replay.state.rawValue), "EventStartTime": .seconds(milliseconds: replay.range.lowerBound),
                "EventEndTime": .seconds(milliseconds: replay.range.upperBound),
                "EventLastReplayedTime": replay.lastReplayedMilliseconds.map { .seconds(milliseconds: $0) },
                "ReplayStartTime": .seconds(milliseconds: replay.startedMilliseconds),
                "ReplayEndTime": replay.endedMilliseconds.map { .seconds(milliseconds: $0) },
            ])
        }
        return AnswerDocument.object(["Replays": .list(list), "NextToken": next]).json
    }

    // MARK: - What these operations need

    /// In the order in which the service names them; none fails here.
    private static let states = ["STARTING", "RUNNING", "CANCELLING", "COMPLETED", "CANCELLED", "FAILED"]

    private static func state(of replay: Replay) -> [UInt8] {
        AnswerDocument.object([
            "ReplayArn": .text(arn(of: replay)), "State": .text(replay.state.rawValue),
            "ReplayStartTime": .seconds(milliseconds: replay.startedMilliseconds),
        ]).json
    }

    private static func arn(of replay: Replay) -> String {
        "arn:aws:events:\(TemplateScope.region):\(TemplateScope.accountID):replay/\(replay.name)"
    }

    private static func time(_ name: String, _ members: RequestMembers) throws(ServiceError) -> Int64 {
        guard let milliseconds = try members.milliseconds(name) else {
            throw .constraint(nil, at: name.prefix(1).lowercased() + name.dropFirst(), "Member must not be null")
        }
        return milliseconds
    }
}
