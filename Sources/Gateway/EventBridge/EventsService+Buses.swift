import EventBus

/// The operations on buses.
extension EventsService {
    func createEventBus(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .createEventBus, ["Name", "Description", "Tags"])
        let name = try members.required("Name", .plainBusName)
        let details = ResourceDetails(description: try members.text("Description", .description), tags: try Self.tags(members))
        let bus = try ask { (control) throws(ControlError) in try control.createBus(name, details) }
        return AnswerDocument.object(["EventBusArn": .text(bus.arn), "Description": Self.description(bus)]).json
    }

    func updateEventBus(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .updateEventBus, ["Name", "Description"])
        let name = try members.text("Name", .busName) ?? ResourceSet.defaultBusName
        let description = try members.text("Description", .description)
        let bus = try ask { (control) throws(ControlError) in try control.updateBus(name, description: description) }
        return AnswerDocument.object(["Arn": .text(bus.arn), "Name": .text(bus.name), "Description": Self.description(bus)]).json
    }

    func deleteEventBus(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let name = try Self.members(call, .deleteEventBus, ["Name"]).required("Name", .busName)
        try ask { (control) throws(ControlError) in try control.deleteBus(name) }
        return Self.done
    }

    func describeEventBus(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let name = try Self.bus(try Self.members(call, .describeEventBus, ["Name"]), "Name")
        return Self.document(try ask { (control) throws(ControlError) in try control.bus(name) }).json
    }

    func listEventBuses(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .listEventBuses, ["NamePrefix", "Limit", "NextToken"])
        let prefix = try members.text("NamePrefix", .busName) ?? ""
        let buses = try ask { (control) throws(ControlError) in try control.buses(withPrefix: prefix) }
        let (page, next) = try Self.page(buses, members, name: \.name)
        return AnswerDocument.object(["EventBuses": .list(page.map(Self.document)), "NextToken": next]).json
    }

    private static func document(_ bus: BusDescription) -> AnswerDocument {
        .object([
            "Name": .text(bus.name), "Arn": .text(bus.arn), "Description": description(bus),
            "Policy": bus.policy.map { .text(String(decoding: $0, as: UTF8.self)) },
            "CreationTime": .seconds(milliseconds: bus.createdMilliseconds),
            "LastModifiedTime": .seconds(milliseconds: bus.modifiedMilliseconds),
        ])
    }

    private static func description(_ bus: BusDescription) -> AnswerDocument? { bus.details.description.map { .text($0) } }
}

extension AnswerDocument {
    /// A time as AWS's JSON protocols have it: seconds since 1970, with a fraction.
    static func seconds(milliseconds: Int64) -> AnswerDocument {
        let (seconds, rest) = max(0, milliseconds).quotientAndRemainder(dividingBy: 1_000)
        return .json(Array("\(seconds).\(rest / 100)\(rest / 10 % 10)\(rest % 10)".utf8))
    }
}
