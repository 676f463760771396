import MQTTCodec

/// The query of a request to the admin API.
///
/// Names that the call does not know are refused, and values that its parameters do not take.
struct InspectionQuery: Sendable {
    private let values: [String: String]

    init(_ query: Substring?, of parameters: [CallParameter]) throws(InspectionError) {
        var values: [String: String] = [:]
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let decoded = parts.map { Self.decode($0, plusIsSpace: true) }
            guard let name = decoded.first ?? nil, let value = decoded.count > 1 ? decoded[1] : "" else {
                throw .invalidQuery("the query is not valid percent-encoded UTF-8")
            }
            guard let parameter = parameters.first(where: { $0.name == name }) else {
                throw .invalidQuery("'\(name)' is not a parameter of this call")
            }
            guard values.updateValue(value, forKey: name) == nil else { throw .invalidQuery("'\(name)' is given twice") }
            try Self.check(value, of: parameter)
        }
        for parameter in parameters where parameter.required && values[parameter.name] == nil {
            throw .invalidQuery("the call wants a '\(parameter.name)'")
        }
        self.values = values
    }

    private static func check(_ value: String, of parameter: CallParameter) throws(InspectionError) {
        switch parameter.kind {
        case .text: return
        case .filter, .ordinaryFilter, .subscription:
            do { try Topics.validate(filter: Array(value.utf8).span, in: .subscribe) } catch {
                throw .invalidQuery("'\(value)' is no topic filter")
            }
            if case .subscription = parameter.kind { return }
            try refuseShared(value)
            if case .ordinaryFilter = parameter.kind, value.utf8.first == UInt8(ascii: "$") {
                throw .invalidQuery("'\(value)' is of the broker's own messages, which it publishes again: they are not removed")
            }
        case .topic:
            do { try Topics.validate(name: Array(value.utf8).span, in: .publish) } catch {
                throw .invalidQuery("'\(value)' is no topic name: \(error.description)")
            }
        case .integer(let range):
            guard let number = Int(value), range.contains(number) else {
                throw .invalidQuery(
                    "\(parameter.name) must be a whole number from \(range.lowerBound) to \(range.upperBound)"
                        + (parameter.name == "limit" ? " (listRowsMax)" : ""))
            }
        case .flag:
            guard ["true", "false"].contains(value) else { throw .invalidQuery("\(parameter.name) must be true or false") }
        case .choice(let texts):
            guard texts.contains(value) else { throw .invalidQuery("\(parameter.name) must be one of: \(texts.joined(separator: ", "))") }
        }
    }

    /// A topic has messages, a group of subscribers has none: such a filter would match nothing, and nobody would hear why.
    private static func refuseShared(_ filter: String) throws(InspectionError) {
        guard filter.utf8.starts(with: "$share/".utf8) else { return }
        let behind = (try? SharedFilter(parsing: filter))?.filter
        throw .invalidQuery(
            "'\(filter)' is the filter of a shared subscription, and topics are asked for"
                + (behind.map { ": write '\($0)'" } ?? ": write what follows its group"))
    }

    /// The value of a parameter of any kind, as it was given.
    func text(_ name: String) -> String? { values[name] }

    /// A topic filter; `#` when absent.
    func filter() -> String { values["filter"] ?? "#" }

    func integer(_ name: String) -> Int? { values[name].flatMap { Int($0) } }

    func flag(_ name: String) -> Bool { values[name] == "true" }

    /// The rows asked for; at most `max` when nothing was said, since a parameter's own range is checked when the query is read.
    func limit(default standard: Int, max: Int) -> Int { integer("limit") ?? min(standard, max) }

    /// Decodes percent-encoding, and in a query `+`; `nil` for a broken escape or for bytes that are not UTF-8.
    static func decode(_ text: Substring, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else { return nil }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}
