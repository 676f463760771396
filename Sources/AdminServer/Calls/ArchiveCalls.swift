import EventBus
import FoundationEssentials
import HTTPTypes
import Logging

/// The body of `POST /api/v1/archives/NAME/replay`.
private struct ReplayBody: Decodable {
    /// Of the events' own times, RFC 3339.
    var from: String
    var to: String
    /// Made up when absent.
    var name: String?
    /// The rules that get the events; all when absent.
    var rules: [String]?
}

extension AdminCall {
    /// Events that are kept, and their replays.
    static func archives(_ limits: InspectionLimits) -> [AdminCall] {
        [
            AdminCall(.get, "archives", "Lists archives, and replays of them.", answers: .document(ArchivesDocument.shape)) {
                responder, _ in
                InspectionResponder.json(.ok, ArchivesDocument(responder.engine))
            },
            AdminCall(
                .post, "archives/{name}/replay", "Puts archived events of a range of time on their bus once more.",
                body: .object([.always("from", .time), .always("to", .time), .maybe("name", .text), .maybe("rules", .list(.text))]),
                answers: .document(ArchivesDocument.Replay.shape), refusals: [404, 422]
            ) { responder, request throws(InspectionError) in
                let body = try await request.document(ReplayBody.self, limits)
                let replay = try start(body, of: request.segment("name"), responder.engine)
                responder.log.info("replay started", metadata: ["replay": "\(replay.name)", "by": "\(request.peer)"])
                return InspectionResponder.json(.ok, ArchivesDocument.Replay(replay))
            }.kept(),
            AdminCall(
                .delete, "replays/{name}", "Cancels a replay.", answers: .document(ArchivesDocument.Replay.shape), refusals: [404, 422]
            ) { responder, request throws(InspectionError) in
                do throws(ControlError) {
                    let replay = try responder.engine.cancelReplay(request.segment("name"))
                    responder.log.notice("replay cancelled", metadata: ["replay": "\(replay.name)", "by": "\(request.peer)"])
                    return InspectionResponder.json(.ok, ArchivesDocument.Replay(replay))
                } catch { throw InspectionError(error) }
            }.kept(),
        ]
    }

    private static func start(_ body: ReplayBody, of archive: String, _ engine: EventEngine) throws(InspectionError) -> Replay {
        let range = (try milliseconds(body.from, "from"), try milliseconds(body.to, "to"))
        let name = body.name ?? "replay-\(UUID().uuidString.prefix(8).lowercased())"
        do throws(ControlError) {
            let bus = try engine.describeArchive(archive).declaration.bus
            let arns = try (body.rules ?? []).map { (name) throws(ControlError) in try engine.arn(ofRule: name, onBus: bus) }
            return try engine.startReplay(
                try ReplayRequest(
                    name: name, archive: archive, destination: bus, filterARNs: arns, start: range.0, end: range.1))
        } catch { throw InspectionError(error) }
    }

    private static func milliseconds(_ text: String, _ member: String) throws(InspectionError) -> Int64 {
        guard let time = RFC3339Time(text) else { throw .invalidBody("'\(member)' is no time like 2026-01-31T08:30:00Z") }
        return time.milliseconds
    }
}

extension InspectionError {
    /// What the control plane refused.
    init(_ error: ControlError) {
        self = error.code == .resourceNotFound ? .noSuch("such thing: \(error.message)") : .refused(error.message)
    }
}

extension ArchivesDocument {
    static var shape: JSONShape {
        .object([.always("archives", .list(Archive.shape)), .always("replays", .list(Replay.shape))])
    }
}

extension ArchivesDocument.Archive {
    static var shape: JSONShape {
        .object([
            .always("name", .text), .always("bus", .text), .maybe("pattern", .text), .always("retentionDays", .integer),
            .always("events", .integer), .always("bytes", .integer), .always("created", .text), .always("location", .text),
            .always("left", .flag),
        ])
    }
}

extension ArchivesDocument.Replay {
    static var shape: JSONShape {
        .object([
            .always("name", .text), .always("archive", .text), .always("bus", .text), .always("state", .text), .always("from", .text),
            .always("to", .text), .always("started", .text), .maybe("ended", .text), .maybe("lastReplayed", .text),
        ])
    }
}
