import MQTTCodec

/// The query of a request to the inspection API.
///
/// Names that the call does not know are refused.
struct InspectionQuery {
    private let values: [String: String]

    init(_ query: Substring?, known: [String]) throws(InspectionError) {
        var values: [String: String] = [:]
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let decoded = parts.map { Self.decode($0) }
            guard let name = decoded.first ?? nil, let value = decoded.count > 1 ? decoded[1] : "" else {
                throw .invalidQuery("the query is not valid percent-encoded UTF-8")
            }
            guard known.contains(name) else { throw .invalidQuery("'\(name)' is not a parameter of this call") }
            guard values.updateValue(value, forKey: name) == nil else { throw .invalidQuery("'\(name)' is given twice") }
        }
        self.values = values
    }

    /// A topic filter; `#` when absent.
    func filter() throws(InspectionError) -> String {
        guard let filter = values["filter"] else { return "#" }
        do {
            try Topics.validate(filter: Array(filter.utf8).span, in: .subscribe)
        } catch {
            throw .invalidQuery("'\(filter)' is no topic filter")
        }
        return filter
    }

    func limit(default standard: Int, max: Int) throws(InspectionError) -> Int {
        guard let text = values["limit"] else { return min(standard, max) }
        guard let limit = Int(text), limit > 0, limit <= max else {
            throw .invalidQuery("limit must be a whole number from 1 to \(max) (listRowsMax)")
        }
        return limit
    }

    /// Decodes percent-encoding and `+`; `nil` for a broken escape or for bytes that are not UTF-8.
    private static func decode(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else { return nil }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}
