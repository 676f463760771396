// What the inspection API answers, as its clients read it too. Names are part of the API: a member may be added, none renamed.

/// A row of `GET /api/v1/rules`.
package struct RuleDocument: Codable, Sendable, Equatable {
    package var name: String
    /// `event` or `topic`.
    package var kind: String
    /// Absent for a topic rule.
    package var bus: String?
    package var enabled: Bool
    /// The event pattern as JSON text, or the SQL statement.
    package var definition: String
    /// `file:line:column`.
    package var location: String
    package var matched: UInt64
    package var delivered: UInt64
    package var failed: UInt64
    /// Times that a failed delivery was tried again; absent in answers of older versions.
    package var retried: UInt64?
    /// Deliveries that wait for their turn or are under way.
    package var pending: Int?
    package var lastError: String?
    /// The event pattern as JSON text; absent, as the two below, where there is none, and in answers of older versions.
    package var pattern: String?
    package var schedule: String?
    package var sqlVersion: String?
}

/// A row of `GET /api/v1/deadletters`.
package struct DeadLetterDocument: Codable, Sendable, Equatable {
    /// By which it can be delivered again or removed; absent in answers of older versions.
    package var id: String?
    /// UTC, `YYYY-MM-DDTHH:MM:SSZ`.
    package var time: String
    package var rule: String
    package var bus: String?
    package var target: String
    package var errorCode: String
    package var errorMessage: String
    /// How often it was tried again; absent in answers of older versions.
    package var retries: Int?
    /// The limit of the retry policy that ended that, where one did.
    package var exhausted: String?
    /// JSON text.
    package var event: String
    /// The identifier of the trace that it belongs to.
    package var traceID: String?
}

/// One line of the answer to `GET /api/v1/tail`.
package struct TailDocument: Codable, Sendable, Equatable {
    package enum Encoding: String, Codable, Sendable {
        case utf8 = "utf-8"
        case base64
    }

    package var topic: String
    /// Text where the payload is UTF-8, otherwise base64; ``encoding`` says which.
    package var payload: String
    package var encoding: Encoding
    /// The whole payload's length, also where ``truncated``.
    package var bytes: Int
    /// Whether ``payload`` is only the beginning (`tailPayloadBytesMax`).
    package var truncated: Bool
    package var qos: Int
    package var retain: Bool
    /// Absent for what the broker or the HTTP API published.
    package var clientID: String?
    package var principal: String?
    /// Messages that matched since the previous line and were left out, because this reader was too slow.
    package var skipped: UInt64
}

/// The answer to `GET /api/v1/version`.
package struct VersionDocument: Codable, Sendable, Equatable {
    package var name: String
    package var version: String
}

/// The body of every answer that is an error.
package struct ErrorDocument: Codable, Sendable, Equatable {
    package var error: String

    package init(error: String) {
        self.error = error
    }
}

/// What `POST /api/v1/reload` answers: what came of reading the site's files anew.
package struct ReloadDocument: Codable, Sendable, Equatable {
    /// Whether what was read is in force; otherwise nothing has changed.
    package var reloaded: Bool
    /// Files that say something else than before, what listeners make of theirs, and limits.
    package var changed: [String]
    /// What differs and is taken at a start only.
    package var needsRestart: [String]
    /// What is in force and wants the operator's eye.
    package var warnings: [String]
    /// Why nothing has changed.
    package var problems: [String]
    /// Connections that were closed because their certificates count no more.
    package var connectionsClosed: Int

    package init(changed: [String]) {
        (reloaded, self.changed, needsRestart, warnings, problems, connectionsClosed) = (true, changed, [], [], [], 0)
    }

    package init(failedBecause problems: [String]) {
        (reloaded, changed, needsRestart, warnings, self.problems, connectionsClosed) = (false, [], [], [], problems, 0)
    }
}

/// What every call answers that lists something.
package struct ListDocument<Row: Codable & Sendable>: Codable, Sendable {
    package var rows: [Row]
    /// Whether there are more rows than the call's limit.
    package var more: Bool

    /// Cuts `rows` at the limit; they are at least one more than it where there are more.
    init(_ rows: [Row], limit: Int) {
        self.rows = Array(rows.prefix(limit))
        more = rows.count > limit
    }
}
