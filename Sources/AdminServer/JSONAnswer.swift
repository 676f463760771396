import FoundationEssentials
import NIOCore

/// JSON as the inspection API writes it: members in alphabetical order, so that two answers can be compared as text.
enum JSONAnswer {
    static func encode(_ document: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(document))
    }

    /// Reads a request's body; the error says where and why it is none.
    static func decode<Document: Decodable>(_ type: Document.Type, from body: ByteBuffer) throws(InspectionError) -> Document {
        do {
            return try JSONDecoder().decode(type, from: Data(body.readableBytesView))
        } catch let error as DecodingError {
            throw .invalidBody(reason(of: error))
        } catch {
            throw .invalidBody("it is no JSON")
        }
    }

    private static func reason(of error: DecodingError) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
        }
        return switch error {
        case .keyNotFound(let key, let context): "it has no '\(place(context.codingPath + [key]))'"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "'\(place(context.codingPath))' is of another type than the call takes"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty ? "it is no JSON" : "'\(place(context.codingPath))' \(context.debugDescription)"
        @unknown default: "it is not what the call takes"
        }
    }
}
