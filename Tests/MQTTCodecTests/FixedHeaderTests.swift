import MQTTCodec
import NIOCore
import Testing

/// Type, flags and remaining length (MQTT 3.1.1 section 2.2), exhaustively.
@Suite struct FixedHeaderTests {
    private func header(
        _ bytes: [UInt8], at offset: Int = 0, packetBytesMax: Int = 268_435_460, version: ProtocolVersion = .v311
    ) throws(DecodeError) -> FixedHeader? {
        try FixedHeader(reading: bytes.span, at: offset, packetBytesMax: packetBytesMax, version: version)
    }

    /// The encoding as section 2.2.3 states it, with division and a multiplier.
    private func encoding(of value: Int) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        repeat {
            let digit = rest % 128
            rest /= 128
            bytes.append(UInt8(rest > 0 ? digit + 128 : digit))
        } while rest > 0
        return bytes
    }

    @Test(
        "The limits of table 2.4",
        arguments: [
            (0, [0x00]), (127, [0x7F]), (128, [0x80, 0x01]), (16_383, [0xFF, 0x7F]), (16_384, [0x80, 0x80, 0x01]),
            (2_097_151, [0xFF, 0xFF, 0x7F]), (2_097_152, [0x80, 0x80, 0x80, 0x01]), (268_435_455, [0xFF, 0xFF, 0xFF, 0x7F]),
        ] as [(Int, [UInt8])])
    func remainingLengthAtItsLimits(value: Int, bytes: [UInt8]) throws {
        var buffer = ByteBuffer()
        buffer.writeVariableByteInteger(value)
        #expect(Array(buffer.readableBytesView) == bytes)
        let read = try #require(try header([0x30] + bytes))
        #expect(read.remainingLength == value)
        #expect(read.headerLength == 1 + bytes.count)
        #expect(read.packetLength == 1 + bytes.count + value)
        for count in 0..<bytes.count { #expect(try header([0x30] + bytes[..<count]) == nil) }
    }

    @Test func remainingLengthIsReadAsItIsWritten() throws {
        // All of one and two bytes, then everything near a power of two or a byte's end.
        var values = Array(0...16_500)
        for bit in 14..<28 {
            for near in -3...3 { values.append((1 << bit) + near) }
        }
        values += [2_097_150, 2_097_151, 2_097_152, 2_097_153, 268_435_454, 268_435_455]
        for value in values {
            var buffer = ByteBuffer()
            buffer.writeVariableByteInteger(value)
            let bytes = Array(buffer.readableBytesView)
            guard bytes == encoding(of: value), ByteBuffer.variableByteIntegerBytes(value) == bytes.count,
                try header([0x30] + bytes)?.remainingLength == value
            else {
                Issue.record("\(value) is written as \(hexadecimal(bytes))")
                return
            }
        }
    }

    /// Every pattern of two bytes, and every class of byte in four places.
    ///
    /// An encoding that is longer than it need be is read as its value in MQTT 3.1.1, which does not forbid it, and other brokers take it;
    /// MQTT 5 forbids it [MQTT5-1.5.5-1]. What Crema writes is always the shortest.
    @Test(arguments: ProtocolVersion.allCases)
    func overlongRemainingLengthsAreReadAsTheirValue(version: ProtocolVersion) throws {
        let classes: [UInt8] = [0x00, 0x01, 0x7F, 0x80, 0x81, 0xFF]
        var patterns: [[UInt8]] = []
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max { patterns.append([first, second]) }
        }
        for first in classes {
            for second in classes {
                for third in classes {
                    for fourth in classes { patterns.append([first, second, third, fourth]) }
                }
            }
        }
        for pattern in patterns {
            let end = pattern.firstIndex { $0 < 128 }
            var expected: Int?
            if let end { expected = pattern[...end].reversed().reduce(0) { $0 * 128 + Int($1 % 128) } }
            let isOverlong = end.map { $0 > 0 && pattern[$0] == 0 } ?? false
            do throws(DecodeError) {
                let read = try header([0x30] + pattern, version: version)
                #expect(!isOverlong || version != .v5, "\(hexadecimal(pattern))")
                #expect(read?.remainingLength == expected, "\(hexadecimal(pattern))")
                #expect(read?.headerLength == end.map { $0 + 2 }, "\(hexadecimal(pattern))")
                #expect(end != nil || pattern.count < 4, "\(hexadecimal(pattern))")
            } catch {
                let isTooLong = error == .remainingLengthTooLong && end == nil && pattern.count == 4
                #expect(
                    isTooLong || error == .integerNotMinimal(.publish) && isOverlong && version == .v5, "\(hexadecimal(pattern)): \(error)")
            }
        }
    }

    /// The reader decides on four bytes of length: a fifth is neither read nor waited for.
    @Test(arguments: ProtocolVersion.allCases)
    func fiveBytesOfLengthAreRefused(version: ProtocolVersion) {
        for fifth in UInt8.min...UInt8.max {
            #expect(throws: DecodeError.remainingLengthTooLong) { try header([0x30, 0x80, 0x80, 0x80, 0x80, fifth], version: version) }
        }
        #expect(throws: DecodeError.remainingLengthTooLong) { try header([0x30, 0xFF, 0xFF, 0xFF, 0xFF]) }
    }

    private static let bodies: [PacketType: String] = [
        .connect: "0004 4d515454 04 02 0000 0000", .connack: "0000", .publish: "0001 61 0001", .puback: "0001", .pubrec: "0001",
        .pubrel: "0001", .pubcomp: "0001", .subscribe: "0001 0001 61 00", .suback: "0001 00", .unsubscribe: "0001 0001 61",
        .unsuback: "0001", .pingreq: "", .pingresp: "", .disconnect: "",
    ]
    private static let bodiesOfVersion5: [PacketType: String] = [
        .connect: "0004 4d515454 05 02 0000 00 0000", .connack: "0000 00", .publish: "0001 61 0001 00", .puback: "0001", .pubrec: "0001",
        .pubrel: "0001", .pubcomp: "0001", .subscribe: "0001 00 0001 61 00", .suback: "0001 00 00", .unsubscribe: "0001 00 0001 61",
        .unsuback: "0001 00 00", .pingreq: "", .pingresp: "", .disconnect: "", .auth: "",
    ]

    /// Tables 2.1 and 2.2, written out: what each of the 256 first bytes is. [MQTT-2.2.2-1] [MQTT-2.2.2-2] [MQTT5-2.1.3-1]
    @Test(arguments: ProtocolVersion.allCases)
    func everyTypeWithEveryFlag(version: ProtocolVersion) {
        var bodies = version == .v5 ? Self.bodiesOfVersion5 : Self.bodies
        if version == .v31 { bodies[.connect] = "0006 4d5149736470 03 02 0000 0000" }
        let required: [UInt8: UInt8] = [
            1: 0, 2: 0, 4: 0, 5: 0, 6: 2, 7: 0, 8: 2, 9: 0, 10: 2, 11: 0, 12: 0, 13: 0, 14: 0, 15: 0,
        ]
        for first in UInt8.min...UInt8.max {
            let (number, flags) = (first >> 4, first & 15)
            let type = PacketType(rawValue: number)
            let body = type.flatMap { bodies[$0] }.flatMap { try? CodecVector.bytes($0) } ?? []
            let result = ReadResult([first, UInt8(body.count)] + body, Reading(version: version, sender: .server))
            switch number {
            case _ where number == 0 || number == 15 && version != .v5: #expect(result == .failure(.reservedPacketType(number)))
            case 3 where flags & 6 == 6: #expect(result == .failure(.invalidQoS(.publish)), "flags \(flags)")
            case 3 where flags & 14 == 8: #expect(result == .failure(.duplicateFlagAtQoS0), "flags \(flags)")
            default:
                // MQTT 3.1 minds only QoS, and that in the three types that have it.
                let minded: UInt8 = version == .v31 ? (required[number] == 2 ? 6 : 0) : 15
                if let type, type != .publish, required[number, default: 0] & minded != flags & minded {
                    #expect(result == .failure(.reservedFlags(type, flags)))
                } else if case .packet(let packet) = result {
                    #expect(type.map { summary(packet).hasPrefix($0.name) } == true, "first byte \(first)")
                } else {
                    Issue.record("first byte \(first): \(result)")
                }
            }
        }
    }

    /// A type whose packets have one size is judged as soon as its length is there: a hostile client cannot make the reader keep a
    /// megabyte for a PINGREQ.
    @Test(arguments: PacketType.allCases.filter { $0 != .auth })
    func aLengthThatTheTypeCannotHaveIsRefusedByTheHeader(type: PacketType) throws {
        let sizes: [PacketType: Int] = [
            .connack: 2, .puback: 2, .pubrec: 2, .pubrel: 2, .pubcomp: 2, .unsuback: 2, .pingreq: 0, .pingresp: 0, .disconnect: 0,
        ]
        let first = type.rawValue << 4 | (type.requiredFlags ?? 0)
        for length in [0, 1, 2, 3, 127, 128, 16_384, 268_435_455] {
            let bytes = [first] + encoding(of: length)
            switch sizes[type] {
            case .some(let size) where length < size: #expect(throws: DecodeError.truncated(type)) { try header(bytes) }
            case .some(let size) where length > size: #expect(throws: DecodeError.trailingBytes(type)) { try header(bytes) }
            default: #expect(try header(bytes)?.remainingLength == length)
            }
        }
    }

    /// In MQTT 5 most packets may grow by properties; what is too short is still judged by the header.
    @Test(arguments: PacketType.allCases)
    func aLengthThatIsTooShortForMQTT5IsRefusedByTheHeader(type: PacketType) throws {
        let least: [PacketType: Int] = [.connack: 3, .puback: 2, .pubrec: 2, .pubrel: 2, .pubcomp: 2, .suback: 4, .unsuback: 4]
        let first = type.rawValue << 4 | (type.requiredFlags ?? 0)
        for length in [0, 1, 2, 3, 4, 5, 127, 128, 16_384, 268_435_455] {
            let bytes = [first] + encoding(of: length)
            if (type == .pingreq || type == .pingresp) && length > 0 {
                #expect(throws: DecodeError.trailingBytes(type)) { try header(bytes, version: .v5) }
            } else if length < least[type, default: 0] {
                #expect(throws: DecodeError.truncated(type)) { try header(bytes, version: .v5) }
            } else {
                #expect(try header(bytes, version: .v5)?.remainingLength == length)
            }
        }
    }

    @Test func readsAtAnyOffset() throws {
        let bytes: [UInt8] = [0xFF, 0xFF, 0x32, 0x85, 0x01]
        let read = try #require(try header(bytes, at: 2))
        #expect(read == (try header(Array(bytes[2...]))))
        #expect(read.type == .publish && read.flags == 2 && read.headerLength == 3 && read.remainingLength == 133)
        #expect(try header(bytes, at: 5) == nil)
        #expect(try header(bytes, at: 6) == nil)
    }

    @Test func theLimitCountsTheWholePacket() throws {
        #expect(try header([0x30, 0x0A], packetBytesMax: 12)?.packetLength == 12)
        #expect(throws: DecodeError.packetTooLarge(bytes: 12, limit: 11)) { try header([0x30, 0x0A], packetBytesMax: 11) }
    }

    @Test func clientsSendElevenTypes() {
        let fromServer: Set<PacketType> = [.connack, .suback, .unsuback, .pingresp]
        for type in PacketType.allCases { #expect(type.isSentByClients == !fromServer.contains(type)) }
        #expect(
            PacketType.allCases.map(\.name).joined(separator: " ") == """
                CONNECT CONNACK PUBLISH PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE UNSUBACK PINGREQ PINGRESP DISCONNECT AUTH
                """)
    }
}
