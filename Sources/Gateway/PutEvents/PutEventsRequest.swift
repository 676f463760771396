import EventBus
import Rules

/// A PutEvents request as the service's model describes it.
///
/// How many entries it has, how large they are and what each one says is looked at by the event engine.
struct PutEventsRequest {
    let entries: [PutEventsEntry]

    /// Reads the body of a PutEvents call.
    ///
    /// Members that the service knows and Crema does not act on (`EndpointId`) and members that nobody knows are refused
    /// by name. No AWS SDK sends them unless its caller asks for them. JSON `null` stands for an absent member.
    init(parsing body: [UInt8], limits: GatewayLimits) throws(ServiceError) {
        let document: JSONDocument
        do {
            document = try JSONDocument(parsing: body, limits: JSONLimits(bytesMax: limits.putEventsBodyBytesMax))
        } catch {
            throw ServiceError(.serialization, "The request body is not valid JSON: \(error).")
        }
        guard document.root.kind == .object else { throw ServiceError(.serialization, "The request body is not a JSON object.") }
        for member in document.root.members where member.name != "Entries" && member.value.kind != .null {
            throw ServiceError(.validation, "\(member.name) is not supported by Crema in PutEvents.")
        }
        guard let list = document.root["Entries"], list.kind != .null else {
            let constraint = "Member must not be null"
            throw ServiceError(
                .validation, "1 validation error detected: Value null at 'entries' failed to satisfy constraint: \(constraint)")
        }
        guard list.kind == .array else { throw ServiceError(.serialization, "Entries is not a list.") }
        var entries: [PutEventsEntry] = []
        for element in list.elements { entries.append(try Self.entry(element, index: entries.count)) }
        self.entries = entries
    }

    private static func entry(_ element: JSONView, index: Int) throws(ServiceError) -> PutEventsEntry {
        guard element.kind == .object else { throw ServiceError(.serialization, "Entries[\(index)] is not an object.") }
        var entry = PutEventsEntry(source: nil, detailType: nil, detail: nil)
        for member in element.members where member.value.kind != .null {
            let what = "\(member.name) of Entries[\(index)]"
            switch member.name {
            case "Source": entry.source = String(decoding: try text(member.value, what), as: UTF8.self)
            case "DetailType": entry.detailType = String(decoding: try text(member.value, what), as: UTF8.self)
            case "Detail": entry.detail = Array(try text(member.value, what))
            case "EventBusName": entry.eventBusName = try busName(member.value, what, index)
            case "Time": entry.timeMilliseconds = try time(member.value, what)
            case "Resources": entry.resources = try texts(member.value, what)
            case "TraceHeader": entry.traceHeader = try traceHeader(member.value, what, index)
            default: throw ServiceError(.validation, "\(what) is not supported by Crema.")
            }
        }
        return entry
    }

    /// The name or ARN of a bus that could be there.
    ///
    /// One that is not there is no error: the service drops its events.
    private static func busName(_ value: JSONView, _ what: String, _ index: Int) throws(ServiceError) -> String {
        let name = String(decoding: try text(value, what), as: UTF8.self)
        let path = "entries.\(index + 1).member.eventBusName"
        guard !name.isEmpty else {
            throw ServiceError(
                .validation, MemberConstraint.message("", at: path, "Member must have length greater than or equal to 1"))
        }
        let marker = ":event-bus/"
        let prefix = name.hasPrefix("arn:aws") ? name.firstRange(of: marker)?.upperBound ?? name.startIndex : name.startIndex
        guard prefix < name.endIndex, MemberConstraint.ruleName.takes(name[prefix...]) else {
            throw ServiceError(
                .validation,
                MemberConstraint.message(
                    name, at: path,
                    "Member must satisfy regular expression pattern: "
                        + #"(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus\/)?[\.\-_A-Za-z0-9]+"#))
        }
        return name
    }

    /// What is no place in a trace is taken all the same, as the service does, and means nothing.
    private static func traceHeader(_ value: JSONView, _ what: String, _ index: Int) throws(ServiceError) -> String {
        let header = String(decoding: try text(value, what), as: UTF8.self)
        guard let refusal = MemberConstraint(PutEventsEntry.traceHeaderCharacters).refusal(of: header) else { return header }
        throw ServiceError(.validation, MemberConstraint.message(header, at: "entries.\(index + 1).member.traceHeader", refusal))
    }

    private static func text(_ value: JSONView, _ what: String) throws(ServiceError) -> ArraySlice<UInt8> {
        guard let bytes = value.stringBytes else { throw ServiceError(.serialization, "\(what) is not a string.") }
        return bytes
    }

    private static func texts(_ value: JSONView, _ what: String) throws(ServiceError) -> [String] {
        guard value.kind == .array else { throw ServiceError(.serialization, "\(what) is not a list.") }
        var texts: [String] = []
        for element in value.elements { texts.append(String(decoding: try text(element, what), as: UTF8.self)) }
        return texts
    }

    /// Seconds since 1970, possibly with a fraction, as AWS SDKs write timestamps in JSON.
    private static func time(_ value: JSONView, _ what: String) throws(ServiceError) -> Int64 {
        guard let milliseconds = value.numberText.flatMap({ Timestamp.milliseconds($0) }) else {
            throw ServiceError(.serialization, "\(what) is not a number of seconds between the years 1970 and 9999.")
        }
        return milliseconds
    }
}
