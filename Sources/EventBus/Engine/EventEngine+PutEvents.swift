import BrokerCore
import Rules

extension EventEngine {
    /// The most entries of one request.
    package static let entriesMax = 10

    /// Puts events on their buses and runs the rules.
    ///
    /// The checks, their order and their texts are EventBridge's. An event for a bus that does not exist is accepted and dropped, as there;
    /// here it is also counted and logged.
    ///
    /// - Parameter entries: 1 to 10 of them.
    /// - Returns: a result for each entry, and what is to be carried out.
    /// - Throws: when the request is refused as a whole; then nothing was put.
    package func putEvents(_ entries: [PutEventsEntry]) throws(PutEventsError) -> PutEventsOutcome {
        do throws(PutEventsError) {
            guard entries.count <= Self.entriesMax else { throw .tooManyEntries(entries) }
            guard !entries.isEmpty else { throw .noEntries }
            var bytes = 0
            for entry in entries { bytes += entry.countedBytes }
            guard bytes <= limits.putEventsBytesMax else { throw .tooLarge }
        } catch {
            totals.requestsRefused.increment()
            throw error
        }
        let rules = rules
        // Entries with traces of their own are a step each; else the request is one.
        let traces = entries.map { $0.traceHeader.flatMap(TraceParent.init(xRay:)) }
        let areApart = traces.contains { $0 != nil }
        let step = areApart ? nil : TraceContext.current.map(TraceStep.init(below:))
        var outcome = PutEventsOutcome()
        for (entry, trace) in zip(entries, traces) {
            switch check(entry) {
            case .failure(let refusal):
                totals.entriesFailed.increment()
                outcome.results.append(.failed(code: refusal.code, message: refusal.message))
            case .success(let event):
                let bus = EventBusReader.name(inReference: event.busName)
                let id: String
                if areApart {
                    let own = self.step(below: trace) ?? TraceContext.current.map(TraceStep.init(below:))
                    var output = RuleOutput()
                    id = put(event, onBus: bus, hops: 0, rules: rules, trace: own?.parent, into: &output)
                    outcome.output.append(output.traced(own, as: "rules"))
                } else {
                    id = put(event, onBus: bus, hops: 0, rules: rules, trace: step?.parent, into: &outcome.output)
                }
                outcome.results.append(.accepted(eventID: id))
            }
        }
        outcome.output = outcome.output.traced(step, as: "rules")
        return outcome
    }

    private struct Refusal: Error {
        var code: String
        var message: String

        static func missing(_ parameter: String) -> Refusal {
            Refusal(
                code: "InvalidArgument", message: "Parameter \(parameter) is not valid. Reason: \(parameter) is a required argument."
            )
        }
    }

    private func check(_ entry: PutEventsEntry) -> Result<NewEvent, Refusal> {
        guard let source = entry.source, !source.isEmpty else { return .failure(.missing("Source")) }
        guard let detailType = entry.detailType, !detailType.isEmpty else { return .failure(.missing("DetailType")) }
        guard let detail = entry.detail, !detail.isEmpty else { return .failure(.missing("Detail")) }
        guard let object = compactObject(detail) else {
            return .failure(Refusal(code: "MalformedDetail", message: "Detail is malformed."))
        }
        guard !source.utf8.starts(with: "aws.".utf8) else {
            return .failure(Refusal(code: "NotAuthorizedForSourceException", message: "Not authorized for the source."))
        }
        return .success(
            NewEvent(
                busName: entry.eventBusName ?? ResourceSet.defaultBusName, source: source, detailType: detailType, detail: object,
                timeMilliseconds: entry.timeMilliseconds, resources: entry.resources
            )
        )
    }

    /// The compact JSON of an object; `nil` for anything else.
    func compactObject(_ json: [UInt8]) -> [UInt8]? {
        // The sum of the request, or of the payload, was checked before.
        let document = try? JSONDocument(parsing: json, limits: JSONLimits(bytesMax: json.count))
        guard let root = document?.root, root.kind == .object else { return nil }
        return root.rawJSON
    }
}

/// An event that passed the checks.
struct NewEvent {
    var busName: String
    var source: String
    var detailType: String
    /// Compact JSON of an object.
    var detail: [UInt8]
    var timeMilliseconds: Int64?
    var resources: [String] = []
}
