import MQTTCodec
import NIOCore

/// In which version, from which side and within which limits bytes are read.
struct Reading {
    var version: ProtocolVersion
    var sender = Sender.client
    var packetBytesMax = 268_435_460
    var limits = DecodingLimits()
}

/// What one attempt to take a packet off a buffer came to.
enum ReadResult: Equatable, CustomStringConvertible {
    case packet(Packet)
    case failure(DecodeError)
    case needsMore

    init(from buffer: inout ByteBuffer, _ reading: Reading = Reading(version: .v311)) {
        do throws(DecodeError) {
            let packet = try Packet.read(
                from: &buffer, version: reading.version, sender: reading.sender, packetBytesMax: reading.packetBytesMax,
                limits: reading.limits)
            self = packet.map { .packet($0) } ?? .needsMore
        } catch {
            self = .failure(error)
        }
    }

    init(_ bytes: [UInt8], _ reading: Reading = Reading(version: .v311)) {
        var buffer = ByteBuffer(bytes: bytes)
        self.init(from: &buffer, reading)
    }

    var description: String {
        switch self {
        case .packet(let packet): summary(packet)
        case .failure(let error): label(error)
        case .needsMore: "more bytes are needed"
        }
    }
}
