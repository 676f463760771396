import Documents
import EventBus

/// The operations on archives.
extension EventsService {
    func createArchive(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(
            call, .createArchive, ["ArchiveName", "EventSourceArn", "Description", "EventPattern", "RetentionDays"])
        let name = try members.required("ArchiveName", .archiveName)
        let bus = Self.lastName(in: try members.required("EventSourceArn", .sourceARN), after: ":event-bus/")
        let (pattern, days, description) = try Self.settings(members)
        let archive = try ask { (control) throws(ControlError) in
            try control.createArchive(name, bus: bus, patternText: pattern, retentionDays: days ?? 0, description: description)
        }
        return Self.state(of: archive)
    }

    func updateArchive(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .updateArchive, ["ArchiveName", "Description", "EventPattern", "RetentionDays"])
        let name = try members.required("ArchiveName", .archiveName)
        let (pattern, days, description) = try Self.settings(members)
        let archive = try ask { (control) throws(ControlError) in
            try control.updateArchive(name, patternText: pattern, retentionDays: days, description: description)
        }
        return Self.state(of: archive)
    }

    func deleteArchive(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let name = try Self.members(call, .deleteArchive, ["ArchiveName"]).required("ArchiveName", .archiveName)
        try ask { (control) throws(ControlError) in try control.deleteArchive(name) }
        return Self.done
    }

    func describeArchive(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let name = try Self.members(call, .describeArchive, ["ArchiveName"]).required("ArchiveName", .archiveName)
        let archive = try ask { (control) throws(ControlError) in try control.delivery.engine.describeArchive(name) }
        return AnswerDocument.object([
            "ArchiveArn": .text(archive.arn), "ArchiveName": .text(name), "EventSourceArn": .text(Self.arn(ofBus: archive.declaration.bus)),
            "Description": archive.declaration.description.map { .text($0) },
            "EventPattern": archive.declaration.patternText.map { .text($0) }, "State": .text(Self.enabled),
            "RetentionDays": .number(archive.declaration.retentionDays), "SizeBytes": .number(archive.bytes),
            "EventCount": .number(archive.eventCount), "CreationTime": .seconds(milliseconds: archive.createdMilliseconds),
        ]).json
    }

    func listArchives(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .listArchives, ["NamePrefix", "EventSourceArn", "State", "Limit", "NextToken"])
        let prefix = try members.text("NamePrefix", .archiveName) ?? ""
        let source = try members.text("EventSourceArn", .sourceARN)
        let state = try members.choice("State", of: Self.states) ?? Self.enabled
        try Self.checkFilters(members, of: "ListArchives")
        let all = control.delivery.engine.archives().filter { archive in
            archive.declaration.name.hasPrefix(prefix)
                && (source.map { Self.lastName(in: $0, after: ":event-bus/") == archive.declaration.bus } ?? true)
                && state == Self.enabled
        }
        let (page, next) = try Self.page(all, members, name: \.declaration.name)
        let list = page.map { archive in
            AnswerDocument.object([
                "ArchiveName": .text(archive.declaration.name), "EventSourceArn": .text(Self.arn(ofBus: archive.declaration.bus)),
                "State": .text(Self.enabled), "RetentionDays": .number(archive.declaration.retentionDays),
                "SizeBytes": .number(archive.bytes), "EventCount": .number(archive.eventCount),
                "CreationTime": .seconds(milliseconds: archive.createdMilliseconds),
            ])
        }
        return AnswerDocument.object(["Archives": .list(list), "NextToken": next]).json
    }

    // MARK: - What these operations need

    /// Refuses more than one filter, as the service does.
    static func checkFilters(_ members: RequestMembers, of operation: String) throws(ServiceError) {
        guard ["State", "EventSourceArn", "NamePrefix"].count(where: { members.has($0) }) > 1 else { return }
        throw ServiceError(
            .validation, "At most one filter is allowed for \(operation). Use either : State, EventSourceArn, or NamePrefix.")
    }

    /// The only state of an archive: nothing is under way when a call is answered.
    private static let enabled = "ENABLED"
    /// In the order in which the service names them.
    private static let states = [enabled, "DISABLED", "CREATING", "UPDATING", "CREATE_FAILED", "UPDATE_FAILED"]

    private static func settings(
        _ members: RequestMembers
    ) throws(ServiceError) -> (pattern: String?, retentionDays: Int?, description: String?) {
        let days = try members.integer("RetentionDays")
        if let days, days < 0 {
            throw .constraint("\(days)", at: "retentionDays", "Member must have value greater than or equal to 0")
        }
        return (
            try members.text("EventPattern", MemberConstraint(0...4_096)), days, try members.text("Description", .description)
        )
    }

    private static func state(of archive: ArchiveDescription) -> [UInt8] {
        AnswerDocument.object([
            "ArchiveArn": .text(archive.arn), "State": .text(enabled), "CreationTime": .seconds(milliseconds: archive.createdMilliseconds),
        ]).json
    }

    static func arn(ofBus bus: String) -> String { "arn:aws:events:\(TemplateScope.region):\(TemplateScope.accountID):event-bus/\(bus)" }

    /// The name in an ARN, or the text itself.
    static func lastName(in arn: String, after mark: String) -> String {
        guard let range = arn.firstRange(of: mark) else { return arn }
        return String(arn[range.upperBound...])
    }
}
