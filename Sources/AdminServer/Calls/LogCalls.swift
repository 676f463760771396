import HTTPTypes

/// What a listener for people may do with the log: read it while it is written, and say how much is written.
package protocol LogAccess: Sendable {
    /// Lines from a level on: the last ones, then those to come. Bounded; whoever is too slow loses lines, which are counted.
    func lines(from level: String) -> AsyncStream<LogDocument>

    var levels: LogLevelDocument { get }

    /// Logs from another level on for so many seconds; then again what the configuration says.
    func set(level: String, seconds: Int, by peer: String)
}

/// A line of the log, as `GET /api/v1/log` gives it.
package struct LogDocument: Codable, Sendable, Equatable {
    /// RFC 3339, UTC, with milliseconds.
    package var time: String
    package var level: String
    /// A name that stays the same whatever the line says.
    package var event: String
    package var message: String
    package var logger: String
    package var metadata: [String: String]
    /// Lines before it that this reader did not take in time.
    package var skipped: UInt64

    package init(
        time: String, level: String, event: String, message: String, logger: String, metadata: [String: String], skipped: UInt64 = 0
    ) {
        self.time = time
        self.level = level
        self.event = event
        self.message = message
        self.logger = logger
        self.metadata = metadata
        self.skipped = skipped
    }

    static var shape: JSONShape {
        .object([
            .always("time", .text), .always("level", .choice(LogLevelDocument.names)), .always("event", .text), .always("message", .text),
            .always("logger", .text), .always("metadata", .map(.text)), .always("skipped", .integer),
        ])
    }
}

/// How much is logged.
package struct LogLevelDocument: Codable, Sendable, Equatable {
    /// From the least important on.
    package static let names = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

    package var level: String
    /// What holds again when the time is over.
    package var configured: String
    /// Absent while the configured level holds.
    package var revertsInSeconds: Int?

    package init(level: String, configured: String, revertsInSeconds: Int?) {
        self.level = level
        self.configured = configured
        self.revertsInSeconds = revertsInSeconds
    }

    static var shape: JSONShape {
        .object([.always("level", .choice(names)), .always("configured", .choice(names)), .maybe("revertsInSeconds", .integer)])
    }
}

/// The body of `PUT /api/v1/log/level`.
package struct LogLevelChange: Codable, Sendable, Equatable {
    package var level: String
    package var seconds: Int

    package init(level: String, seconds: Int) {
        self.level = level
        self.seconds = seconds
    }

    static func shape(_ limits: InspectionLimits) -> JSONShape {
        .object([.always("level", .choice(LogLevelDocument.names)), .always("seconds", .within(1...limits.logLevelSecondsMax))])
    }

    /// Why it cannot be done; `nil` when it can.
    func problem(_ limits: InspectionLimits) -> String? {
        guard LogLevelDocument.names.contains(level) else {
            return "there is no log level '\(level)'; there are \(LogLevelDocument.names.joined(separator: ", "))"
        }
        guard (1...limits.logLevelSecondsMax).contains(seconds) else {
            return "seconds must be a whole number from 1 to \(limits.logLevelSecondsMax) (logLevelSecondsMax)"
        }
        return nil
    }
}

extension AdminCall {
    /// The log, while it is written.
    static func log(_ limits: InspectionLimits) -> [AdminCall] {
        let level = CallParameter(
            name: "level", kind: .choice(LogLevelDocument.names), summary: "Only lines from this level on; info when absent.")
        return [
            AdminCall(
                .get, "log", "Shows the last lines of the log and those to come, until the reader goes.", parameters: [level],
                answers: .stream(LogDocument.shape), refusals: [404]
            ) { responder, request throws(InspectionError) in
                guard let log = responder.site.log else { throw .notFound }
                let lines = log.lines(from: request.query.text("level") ?? "info")
                return try responder.live(lines, for: request.request) { try JSONAnswer.encode($0) }
            },
            AdminCall(.get, "log/level", "Tells how much is logged.", answers: .document(LogLevelDocument.shape), refusals: [404]) {
                responder, _ throws(InspectionError) in
                guard let log = responder.site.log else { throw .notFound }
                return InspectionResponder.json(.ok, log.levels)
            },
            AdminCall(
                .put, "log/level", "Logs more or less for a while.", body: LogLevelChange.shape(limits),
                answers: .document(LogLevelDocument.shape), refusals: [404]
            ) { responder, request throws(InspectionError) in
                guard let log = responder.site.log else { throw .notFound }
                let change = try await request.document(LogLevelChange.self, limits)
                if let problem = change.problem(limits) { throw .invalidBody(problem) }
                log.set(level: change.level, seconds: change.seconds, by: request.peer)
                return InspectionResponder.json(.ok, log.levels)
            },
        ]
    }
}
