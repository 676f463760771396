import Foundation
import MQTTCodec
import NIOCore
import Testing

/// One entry of `Vectors/*.json`: bytes, and what a reader must make of them.
struct CodecVector: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    /// The statements of MQTT 3.1.1 that the vector checks.
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

    var testDescription: String { name }
    var bytes: [UInt8] { get throws { try Self.bytes(hex) } }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors")

    /// Every vector of every file, in the files' order; a file that cannot be read stops the tests.
    static let all: [CodecVector] = {
        do {
            return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                .filter { $0.pathExtension == "json" }
                .sorted { $0.lastPathComponent < $1.lastPathComponent }
                .flatMap { file in
                    try JSONDecoder().decode([CodecVector].self, from: Data(contentsOf: file)).map { vector in
                        var named = vector
                        named.name = "\(file.deletingPathExtension().lastPathComponent): \(vector.name)"
                        return named
                    }
                }
        } catch {
            fatalError("the vectors cannot be read: \(error)")
        }
    }()

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

/// A packet in one line, as the vectors spell it.
///
/// Long fields are written as their size.
func summary(_ packet: Packet) -> String {
    func text(_ value: some Collection<UInt8>) -> String {
        value.count > 64 ? "<\(value.count) bytes>" : "'\(String(decoding: value, as: UTF8.self))'"
    }
    func bytes(_ value: ByteBuffer) -> String {
        value.readableBytes > 64 ? "<\(value.readableBytes) bytes>" : hexadecimal(value.readableBytesView)
    }
    switch packet {
    case .connect(let connect):
        var line = "CONNECT client=\(text(connect.clientID.utf8)) clean=\(connect.cleanSession ? 1 : 0) keepalive=\(connect.keepAlive)"
        if let will = connect.will {
            line += " will(topic=\(text(will.topic.readableBytesView)) payload=\(bytes(will.payload))"
            line += " qos=\(will.qos.rawValue) retain=\(will.retain ? 1 : 0))"
        }
        if let userName = connect.userName { line += " user=\(text(userName.utf8))" }
        if let password = connect.password { line += " password=\(bytes(password))" }
        return line
    case .connack(let connack): return "CONNACK present=\(connack.sessionPresent ? 1 : 0) code=\(connack.returnCode)"
    case .publish(let publish):
        var line = "PUBLISH topic=\(text(publish.topic.readableBytesView)) payload=\(bytes(publish.payload)) qos=\(publish.qos.rawValue)"
        if publish.duplicate { line += " dup=1" }
        if publish.retain { line += " retain=1" }
        if publish.packetID != 0 { line += " id=\(publish.packetID)" }
        return line
    case .puback(let packetID): return "PUBACK id=\(packetID)"
    case .pubrec(let packetID): return "PUBREC id=\(packetID)"
    case .pubrel(let packetID): return "PUBREL id=\(packetID)"
    case .pubcomp(let packetID): return "PUBCOMP id=\(packetID)"
    case .subscribe(let subscribe):
        return subscribe.requests.reduce("SUBSCRIBE id=\(subscribe.packetID)") { "\($0) \(text($1.filter.utf8))@\($1.qos.rawValue)" }
    case .suback(let suback):
        return suback.returnCodes.reduce("SUBACK id=\(suback.packetID)") { $0 + ($1 == .failure ? " failure" : " \($1.rawValue)") }
    case .unsubscribe(let unsubscribe):
        return unsubscribe.filters.reduce("UNSUBSCRIBE id=\(unsubscribe.packetID)") { "\($0) \(text($1.utf8))" }
    case .unsuback(let packetID): return "UNSUBACK id=\(packetID)"
    case .pingreq: return "PINGREQ"
    case .pingresp: return "PINGRESP"
    case .disconnect: return "DISCONNECT"
    }
}

/// An error as the vectors spell it: the case's name, and its values.
func label(_ error: DecodeError) -> String {
    switch error {
    case .remainingLengthTooLong: "remainingLengthTooLong"
    case .packetTooLarge(let bytes, let limit): "packetTooLarge(\(bytes), \(limit))"
    case .reservedPacketType(let type): "reservedPacketType(\(type))"
    case .reservedFlags(let type, let flags): "reservedFlags(\(type.name), \(flags))"
    case .truncated(let type): "truncated(\(type.name))"
    case .trailingBytes(let type): "trailingBytes(\(type.name))"
    case .invalidUTF8(let type): "invalidUTF8(\(type.name))"
    case .nullCharacter(let type): "nullCharacter(\(type.name))"
    case .invalidQoS(let type): "invalidQoS(\(type.name))"
    case .duplicateFlagAtQoS0: "duplicateFlagAtQoS0"
    case .emptyTopicName: "emptyTopicName"
    case .wildcardInTopicName: "wildcardInTopicName"
    case .invalidTopicFilter: "invalidTopicFilter"
    case .zeroPacketIdentifier(let type): "zeroPacketIdentifier(\(type.name))"
    case .noTopicFilter(let type): "noTopicFilter(\(type.name))"
    case .tooManyTopicFilters(let limit): "tooManyTopicFilters(\(limit))"
    case .wrongProtocolName: "wrongProtocolName"
    case .unsupportedProtocolLevel(let level): "unsupportedProtocolLevel(\(level))"
    case .reservedConnectFlag: "reservedConnectFlag"
    case .willFlagsWithoutWill: "willFlagsWithoutWill"
    case .passwordWithoutUserName: "passwordWithoutUserName"
    case .invalidReturnCode(let type): "invalidReturnCode(\(type.name))"
    }
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}

/// What one attempt to take a packet off a buffer came to.
enum ReadResult: Equatable, CustomStringConvertible {
    case packet(Packet)
    case failure(DecodeError)
    case needsMore

    init(from buffer: inout ByteBuffer, packetBytesMax: Int? = nil, filtersMax: Int? = nil) {
        do throws(DecodeError) {
            let packet = try Packet.read(from: &buffer, packetBytesMax: packetBytesMax ?? 268_435_460, filtersMax: filtersMax ?? .max)
            self = packet.map { .packet($0) } ?? .needsMore
        } catch {
            self = .failure(error)
        }
    }

    init(_ bytes: [UInt8]) {
        var buffer = ByteBuffer(bytes: bytes)
        self.init(from: &buffer)
    }

    var description: String {
        switch self {
        case .packet(let packet): summary(packet)
        case .failure(let error): label(error)
        case .needsMore: "more bytes are needed"
        }
    }
}
