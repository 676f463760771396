// What the inspection API answers of archives, replays, connections and API destinations. A member may be added, none renamed.

/// The answer to `GET /api/v1/archives`.
package struct ArchivesDocument: Codable, Sendable, Equatable {
    package struct Archive: Codable, Sendable, Equatable {
        package var name: String
        package var bus: String
        /// JSON text; absent for an archive of all events.
        package var pattern: String?
        /// 0 for ever.
        package var retentionDays: Int
        package var events: Int
        /// What they count towards `archiveBytesMax`.
        package var bytes: Int
        /// UTC, `YYYY-MM-DDTHH:MM:SSZ`, as all times here.
        package var created: String
        /// The place in a template, or the call.
        package var location: String
        /// Whether a template declared it, and none does any more.
        package var left: Bool
    }

    package struct Replay: Codable, Sendable, Equatable {
        package var name: String
        package var archive: String
        package var bus: String
        package var state: String
        /// Of the events' own times.
        package var from: String
        package var to: String
        package var started: String
        package var ended: String?
        /// The own time of the event that was replayed last.
        package var lastReplayed: String?
    }

    package var archives: [Archive]
    /// The latest first.
    package var replays: [Replay]
}

/// The answer to `GET /api/v1/destinations`.
package struct DestinationsDocument: Codable, Sendable, Equatable {
    package struct Connection: Codable, Sendable, Equatable {
        package var name: String
        package var authorizationType: String
        package var authorized: Bool
        package var location: String
    }

    package struct Destination: Codable, Sendable, Equatable {
        package var name: String
        package var active: Bool
        /// Why it is not called now; absent for an active one.
        package var reason: String?
        package var method: String
        /// Without a query.
        package var endpoint: String
        package var connection: String
        package var location: String
    }

    package var connections: [Connection]
    package var destinations: [Destination]
}
