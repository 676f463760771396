/// One event as a caller hands it in; what is missing is found by ``EventEngine/putEvents(_:)``.
package struct PutEventsEntry: Sendable, Equatable {
    package var source: String?
    package var detailType: String?
    /// JSON text, as it came.
    package var detail: [UInt8]?
    /// A bus's name or ARN; `nil` is the default bus.
    package var eventBusName: String?
    /// Milliseconds since 1970; `nil` is now.
    package var timeMilliseconds: Int64?
    package var resources: [String]
    /// The place in a trace, as AWS X-Ray writes it; one that names none begins none.
    ///
    /// It stands in no event, and counts for no size, as in EventBridge.
    package var traceHeader: String?

    /// How long a trace header is: the service's bounds.
    package static let traceHeaderCharacters = 1...500

    package init(
        source: String?,
        detailType: String?,
        detail: [UInt8]?,
        eventBusName: String? = nil,
        timeMilliseconds: Int64? = nil,
        resources: [String] = [],
        traceHeader: String? = nil
    ) {
        self.source = source
        self.detailType = detailType
        self.detail = detail
        self.eventBusName = eventBusName
        self.timeMilliseconds = timeMilliseconds
        self.resources = resources
        self.traceHeader = traceHeader
    }

    /// How many bytes the entry counts towards the limit of a request, by EventBridge's own sum.
    var countedBytes: Int {
        (timeMilliseconds == nil ? 0 : 14) + (source?.utf8.count ?? 0) + (detailType?.utf8.count ?? 0) + (detail?.count ?? 0)
            + resources.reduce(0) { $0 + $1.utf8.count }
    }
}

/// What became of one entry.
package enum PutEventsResult: Sendable, Equatable {
    case accepted(eventID: String)
    case failed(code: String, message: String)
}

/// The answer to a request whose entries were looked at one by one.
package struct PutEventsOutcome {
    /// One for each entry, in order.
    package var results: [PutEventsResult] = []
    /// What the rules made of the accepted entries, in order; the caller carries it out before it answers.
    package var output = RuleOutput()

    package var failedEntryCount: Int {
        results.reduce(0) { count, result in
            if case .failed = result { count + 1 } else { count }
        }
    }
}

/// Why a request was refused as a whole.
///
/// The texts are the service's.
package enum PutEventsError: Error, Sendable, Equatable {
    case noEntries
    case tooManyEntries([PutEventsEntry])
    case tooLarge
    /// The disk takes nothing; they may be on their way all the same.
    case notKept
    /// Event loops have more to publish than they may; nothing was done.
    case throttled

    package var code: String {
        switch self {
        case .notKept: ControlError.notKept.code.rawValue
        case .throttled: "ThrottlingException"
        default: "ValidationException"
        }
    }
    package var httpStatus: Int { self == .notKept ? 503 : 400 }

    package var message: String {
        switch self {
        case .noEntries:
            "1 validation error detected: Value '[]' at 'entries' failed to satisfy constraint: "
                + "Member must have length greater than or equal to 1"
        case .tooManyEntries(let entries):
            "1 validation error detected: Value '[\(entries.map(\.echo).joined(separator: ", "))]' at 'entries' "
                + "failed to satisfy constraint: Member must have length less than or equal to 10"
        case .tooLarge:
            "Total size of the entries in the request is over the limit."
        case .notKept: ControlError.notKept.message
        case .throttled: "Rate exceeded: more waits to be published than there is room for (publishBytesWaitingMax); try again later."
        }
    }
}

extension PutEventsEntry {
    /// The entry as the service repeats it in a validation error.
    fileprivate var echo: String {
        let fields = [
            ("time", timeMilliseconds.map(timestamp(milliseconds:))),
            ("source", source),
            ("resources", resources.isEmpty ? nil : "[\(resources.joined(separator: ", "))]"),
            ("detailType", detailType),
            ("detail", detail.map { String(decoding: $0, as: UTF8.self) }),
            ("eventBusName", eventBusName),
            ("traceHeader", traceHeader), ("kmsKeyIdentifier", nil), ("internalMetadata", nil),
        ]
        return "PutEventsRequestEntry(" + fields.map { "\($0)=\($1 ?? "null")" }.joined(separator: ", ") + ")"
    }
}
