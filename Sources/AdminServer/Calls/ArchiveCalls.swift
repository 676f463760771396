import HTTPTypes

extension AdminCall {
    /// Events that are kept, and their replays.
    static func archives(_ limits: InspectionLimits) -> [AdminCall] {
        [
            AdminCall(.get, "archives", "Lists archives, and replays of them.", answers: .document(ArchivesDocument.shape)) {
                responder, _ in
                InspectionResponder.json(.ok, ArchivesDocument(responder.engine))
            }
        ]
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
