import FoundationEssentials

/// JSON as the inspection API writes it: members in alphabetical order, so that two answers can be compared as text.
enum JSONAnswer {
    static func encode(_ document: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(document))
    }
}
