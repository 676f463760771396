import MQTTCodec
import NIOCore
import Testing

/// What is a text on the wire (MQTT 3.1.1 section 1.5.3): well-formed UTF-8 without U+0000, control characters and non-characters.
@Suite struct TextTests {
    private func error(_ bytes: [UInt8]) -> DecodeError? {
        do throws(DecodeError) {
            try Topics.validate(text: bytes.span, in: .connect)
            return nil
        } catch {
            return error
        }
    }

    /// Table 3-7 of the Unicode standard, one scalar at a time.
    private static func isWellFormed(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while let first = rest.first {
            let (count, second): (Int, ClosedRange<UInt8>)
            switch first {
            case 0x00...0x7F: (count, second) = (1, 0...0)
            case 0xC2...0xDF: (count, second) = (2, 0x80...0xBF)
            case 0xE0: (count, second) = (3, 0xA0...0xBF)
            case 0xE1...0xEC, 0xEE...0xEF: (count, second) = (3, 0x80...0xBF)
            case 0xED: (count, second) = (3, 0x80...0x9F)
            case 0xF0: (count, second) = (4, 0x90...0xBF)
            case 0xF1...0xF3: (count, second) = (4, 0x80...0xBF)
            case 0xF4: (count, second) = (4, 0x80...0x8F)
            default: return false
            }
            let scalar = rest.prefix(count)
            guard scalar.count == count else { return false }
            for (position, byte) in scalar.enumerated() where position > 0 {
                if !(position == 1 ? second : 0x80...0xBF).contains(byte) { return false }
            }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private func expected(_ bytes: [UInt8]) -> DecodeError? {
        guard Self.isWellFormed(bytes) else { return .invalidUTF8(.connect) }
        let refused = String(decoding: bytes, as: UTF8.self).unicodeScalars.first(where: Self.isDisallowed)
        return refused.map { $0.value == 0 ? .nullCharacter(.connect) : .disallowedCharacter(.connect) }
    }

    private static func isDisallowed(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control || scalar.properties.isNoncharacterCodePoint
    }

    @Test func everyTextOfOneOrTwoBytes() {  // [MQTT-1.5.3-1] [MQTT-1.5.3-2] [MQTT5-1.5.4-1] [MQTT5-1.5.4-2]
        var wrong: [[UInt8]] = []
        for first in UInt8.min...UInt8.max {
            if error([first]) != expected([first]) { wrong.append([first]) }
            for second in UInt8.min...UInt8.max where error([first, second]) != expected([first, second]) { wrong.append([first, second]) }
        }
        #expect(wrong == [])
    }

    @Test func everyTextOfThreeOrFourBytesAtTheLimitsOfTheirClasses() {
        let leads: [UInt8] = [
            0x00, 0x61, 0x7F, 0x80, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        let others: [UInt8] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF]
        var wrong: [[UInt8]] = []
        for first in leads {
            for second in others {
                for third in others {
                    let three = [first, second, third]
                    if error(three) != expected(three) { wrong.append(three) }
                    for fourth in others where error(three + [fourth]) != expected(three + [fourth]) { wrong.append(three + [fourth]) }
                }
            }
        }
        #expect(wrong == [])
    }

    @Test("Every scalar is taken but control characters and non-characters, which the specification lets a server refuse")
    func everyScalar() {
        var refused: [Unicode.Scalar] = []
        for plane in UInt32(0)...16 {
            let scalars = (plane << 16...(plane << 16 | 0xFFFF)).compactMap(Unicode.Scalar.init)
            let taken = String.UnicodeScalarView(scalars.filter { !Self.isDisallowed($0) })
            #expect(error(Array(String(taken).utf8)) == nil, "plane \(plane)")
            refused += scalars.filter(Self.isDisallowed)
        }
        #expect(refused.count == 65 + 66)
        #expect(refused.filter { error(Array("a\($0)b".utf8)) == nil } == [])
    }

    @Test func everySurrogateIsRefused() {  // [MQTT-1.5.3-1] [MQTT5-1.5.4-1]
        for value in 0xD800...0xDFFF {
            let bytes = [0xE0 | UInt8(value >> 12), 0x80 | UInt8(value >> 6 & 63), 0x80 | UInt8(value & 63)]
            if error(bytes) != .invalidUTF8(.connect) { Issue.record("U+\(String(value, radix: 16))") }
        }
        // A pair of them, as CESU-8 writes U+10000.
        #expect(error([0xED, 0xA0, 0x80, 0xED, 0xB0, 0x80]) == .invalidUTF8(.connect))
    }

    @Test(
        "Overlong and cut off",
        arguments: [
            [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFC, 0x84, 0x80, 0x80, 0x80, 0x80], [0xC3], [0xE2, 0x82],
            [0xF0, 0x9F, 0x98],
            [0x80], [0xBF], [0x61, 0xC3], [0xC3, 0x61], [0xFE], [0xFF],
        ] as [[UInt8]])
    func isNotUTF8(bytes: [UInt8]) {
        #expect(error(bytes) == .invalidUTF8(.connect))
    }

    /// [MQTT-1.5.3-3] [MQTT5-1.5.4-3]: U+FEFF is a character wherever it stands.
    @Test func byteOrderMarkIsKept() throws {
        let bytes: [UInt8] = [0x10, 15, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 3, 0xEF, 0xBB, 0xBF]
        guard case .packet(.connect(let connect)) = ReadResult(bytes) else {
            Issue.record("\(ReadResult(bytes))")
            return
        }
        #expect(Array(connect.clientID.utf8) == [0xEF, 0xBB, 0xBF])
    }
}
