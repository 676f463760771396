import Foundation
import Testing

/// One conversation of `Tests/WireVectors/*.json`, whose README describes the fields.
struct WireVector: Decodable, Sendable, CustomTestStringConvertible {
    var id: String
    var title: String
    var version: String
    /// The statements that it checks: `MQTT-…` of MQTT 3.1.1, `MQTT5-…` of MQTT 5; MQTT 3.1 has no numbers for them.
    var statements: [String]
    var steps: [Step]

    struct Step: Decodable, Sendable {
        /// Which connection; `nil` when only time passes.
        var on: String?
        var send: String?
        var expect: [String]?
        var anyOrder: Bool?
        var closed: Bool?
        var hangUp: Bool?
        /// Seconds.
        var wait: Double?
    }

    var testDescription: String { id }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "WireVectors")

    /// Every vector of every file, in the files' order.
    static func all() throws -> [WireVector] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "json" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .flatMap { try JSONDecoder().decode([WireVector].self, from: Data(contentsOf: $0)) }
    }
}

/// A packet of a vector: bytes, and symbols where the broker is free.
struct WirePattern {
    private enum Piece {
        case byte(UInt8, count: Int)
        case anyByte
        case variableByteInteger
        case text
        case secondsLeft(atMost: UInt32)
        case rest
    }

    private var pieces: [Piece]

    /// Seconds that may have passed where some are counted down; on a virtual clock it is the vectors' own waiting.
    private static let secondsPassed: UInt32 = 10

    init(_ text: String) throws {
        pieces = try text.split(separator: " ").map { token in
            switch token {
            case "#": return .variableByteInteger
            case "?": return .anyByte
            case "text": return .text
            case "*": return .rest
            case _ where token.hasPrefix("<="):
                return .secondsLeft(atMost: try #require(UInt32(token.dropFirst(2), radix: 16), "\(token) is no number"))
            default:
                let parts = token.split(separator: "x")
                let byte = try #require(UInt8(parts[0], radix: 16), "\(token) is neither a byte nor a symbol")
                return .byte(byte, count: try #require(parts.count == 1 ? 1 : Int(parts[1]), "\(token) is no run of bytes"))
            }
        }
    }

    /// The bytes of what a client sends, which has no symbols.
    var bytes: [UInt8] {
        pieces.flatMap { piece in
            guard case .byte(let byte, let count) = piece else { return [UInt8]() }
            return Array(repeating: byte, count: count)
        }
    }

    func matches(_ packet: [UInt8]) -> Bool {
        var rest = packet[...]
        for piece in pieces {
            switch piece {
            case .byte(let byte, let count):
                guard rest.count >= count, rest.prefix(count).allSatisfy({ $0 == byte }) else { return false }
                rest = rest.dropFirst(count)
            case .anyByte:
                guard rest.popFirst() != nil else { return false }
            case .variableByteInteger:
                while let byte = rest.popFirst(), byte >= 0x80 {}
            case .text:
                guard rest.count > 2 else { return false }
                let length = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
                guard length > 0, rest.count >= 2 + length, String(validating: rest.dropFirst(2).prefix(length), as: UTF8.self) != nil
                else { return false }
                rest = rest.dropFirst(2 + length)
            case .secondsLeft(let limit):
                guard rest.count >= 4 else { return false }
                let seconds = rest.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                guard seconds <= limit, limit - seconds <= Self.secondsPassed else { return false }
                rest = rest.dropFirst(4)
            case .rest:
                return true
            }
        }
        return rest.isEmpty
    }
}
