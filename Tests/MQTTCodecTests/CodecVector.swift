import Foundation
import MQTTCodec
import NIOCore
import Testing

/// One entry of `Vectors/*.json` (MQTT 3.1.1), `Vectors/MQTT31/*.json` or `Vectors/MQTT5/*.json`: bytes, and what a reader must make of them.
struct CodecVector: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    /// The statements of MQTT 3.1.1 (`MQTT-…`) or MQTT 5 (`MQTT5-…`) that the vector checks.
    var statements: [String]?
    /// Bytes in hexadecimal; spaces may stand anywhere, and `61x200` is a byte 200 times.
    var hex: String
    /// The ``summary(_:)`` of the packet; with ``error`` and ``incomplete`` exactly one of three.
    var packet: String?
    /// The ``label(_:)`` of the error.
    var error: String?
    /// Whether more bytes are needed.
    var incomplete: Bool?
    /// What the packet is written as, where that is not ``hex``.
    var reencoded: String?
    var packetBytesMax: Int?
    var filtersMax: Int?
    var userPropertiesMax: Int?
    var propertyBytesMax: Int?
    /// Who sends the packet: `client` or `server`; without it a client, but where only servers send the type.
    var from: String?
    /// That of its file.
    var version: ProtocolVersion { versionLevel.flatMap(ProtocolVersion.init) ?? .v311 }
    private var versionLevel: UInt8?

    var testDescription: String { name }
    var bytes: [UInt8] { get throws { try Self.bytes(hex) } }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors")

    /// Every vector of every file, in the files' order; a file that cannot be read stops the tests.
    static let all: [CodecVector] = {
        do {
            return try read(folder, .v311, prefix: "") + read(folder.appending(path: "MQTT31"), .v31, prefix: "MQTT 3.1 ")
                + read(folder.appending(path: "MQTT5"), .v5, prefix: "MQTT 5 ")
        } catch {
            fatalError("the vectors cannot be read: \(error)")
        }
    }()

    private static func read(_ folder: URL, _ version: ProtocolVersion, prefix: String) throws -> [CodecVector] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "json" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .flatMap { file in
                try JSONDecoder().decode([CodecVector].self, from: Data(contentsOf: file)).map { vector in
                    var named = vector
                    named.name = "\(prefix)\(file.deletingPathExtension().lastPathComponent): \(vector.name)"
                    named.versionLevel = version.rawValue
                    return named
                }
            }
    }

    /// How the vector's bytes are read.
    var reading: Reading {
        get throws {
            var reading = Reading(version: version)
            let type = try bytes.first.flatMap { PacketType(rawValue: $0 >> 4) }
            reading.sender = from == "server" || type?.isSentByClients == false ? .server : .client
            if let packetBytesMax { reading.packetBytesMax = packetBytesMax }
            if let filtersMax { reading.limits.filtersMax = filtersMax }
            if let userPropertiesMax { reading.limits.userPropertiesMax = userPropertiesMax }
            if let propertyBytesMax { reading.limits.propertyBytesMax = propertyBytesMax }
            return reading
        }
    }

    static func bytes(_ hex: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        for token in hex.split(separator: " ") {
            let parts = token.split(separator: "x")
            let digits = Array(parts[0].utf8)
            guard digits.count.isMultiple(of: 2) else { throw BadHex(token: String(token)) }
            for index in stride(from: 0, to: digits.count, by: 2) {
                guard let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16),
                    let count = parts.count == 1 ? 1 : Int(parts[1])
                else { throw BadHex(token: String(token)) }
                bytes += Array(repeating: byte, count: count)
            }
        }
        return bytes
    }

    struct BadHex: Error {
        var token: String
    }
}
