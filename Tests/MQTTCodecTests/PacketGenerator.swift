import MQTTCodec
import NIOCore

/// Makes packets that are legal, and damages bytes, from a seed (SplitMix64).
struct PacketGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    mutating func flag() -> Bool { Bool.random(using: &self) }
    mutating func qos() -> QoS { QoS(rawValue: UInt8(number(0...2))) ?? .atMostOnce }
    mutating func identifier() -> UInt16 { UInt16(number(1...65_535)) }

    mutating func bytes(upTo count: Int) -> ByteBuffer {
        ByteBuffer(bytes: (0..<number(0...count)).map { _ in UInt8.random(in: .min ... .max, using: &self) })
    }

    private static let letters = ["a", "b", "Z", "0", " ", "$", "é", "e\u{301}", "\u{FEFF}", "日", "😀", "\u{1}", "\u{FFFF}"]

    mutating func text(upTo count: Int) -> String {
        (0..<number(0...count)).map { _ in Self.letters[number(0...Self.letters.count - 1)] }.joined()
    }

    mutating func topicName() -> ByteBuffer {
        let levels = (0..<number(1...6)).map { _ in text(upTo: 5) }
        let name = levels.joined(separator: "/")
        return ByteBuffer(string: name.isEmpty ? "t" : name)
    }

    mutating func topicFilter() -> String {
        var levels = (0..<number(1...6)).map { _ in number(0...3) == 0 ? "+" : text(upTo: 5) }
        if number(0...3) == 0 { levels.append("#") }
        let filter = levels.joined(separator: "/")
        return filter.isEmpty ? "+" : filter
    }

    mutating func connect() -> Connect {
        let will = flag() ? Will(topic: topicName(), payload: bytes(upTo: 40), qos: qos(), retain: flag()) : nil
        let userName = flag() ? text(upTo: 10) : nil
        let password = userName != nil && flag() ? bytes(upTo: 20) : nil
        return Connect(
            clientID: text(upTo: 12), cleanSession: flag(), keepAlive: UInt16(number(0...65_535)), will: will, userName: userName,
            password: password)
    }

    mutating func publish() -> Publish {
        let qos = qos()
        return Publish(
            topic: topicName(), payload: bytes(upTo: number(0...9) == 0 ? 20_000 : 60), qos: qos, retain: flag(),
            duplicate: qos != .atMostOnce && flag(), packetID: qos == .atMostOnce ? 0 : identifier())
    }

    mutating func packet() -> Packet {
        switch PacketType.allCases[number(0...PacketType.allCases.count - 1)] {
        case .connect: return .connect(connect())
        case .connack:
            let code = ConnectReturnCode(rawValue: UInt8(number(0...5))) ?? .accepted
            return .connack(Connack(sessionPresent: code == .accepted && flag(), returnCode: code))
        case .publish: return .publish(publish())
        case .puback: return .puback(packetID: identifier())
        case .pubrec: return .pubrec(packetID: identifier())
        case .pubrel: return .pubrel(packetID: identifier())
        case .pubcomp: return .pubcomp(packetID: identifier())
        case .subscribe:
            let requests = (0..<number(1...8)).map { _ in Subscribe.Request(filter: topicFilter(), qos: qos()) }
            return .subscribe(Subscribe(packetID: identifier(), requests: requests))
        case .suback:
            let codes = (0..<number(1...8)).map { _ in flag() ? SubscribeReturnCode.granted(qos()) : .failure }
            return .suback(Suback(packetID: identifier(), returnCodes: codes))
        case .unsubscribe:
            return .unsubscribe(Unsubscribe(packetID: identifier(), filters: (0..<number(1...8)).map { _ in topicFilter() }))
        case .unsuback: return .unsuback(packetID: identifier())
        case .pingreq: return .pingreq
        case .pingresp: return .pingresp
        case .disconnect: return .disconnect
        }
    }

    /// Changes, removes, adds or repeats some bytes, with a liking for the values at which lengths go wrong.
    mutating func damage(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        let place = number(0...bytes.count - 1)
        let telling: [UInt8] = [0x00, 0x01, 0x02, 0x23, 0x2B, 0x2F, 0x7F, 0x80, 0xC0, 0xED, 0xFF]
        switch number(0...6) {
        case 0: bytes[place] ^= 1 << UInt8(number(0...7))
        case 1: bytes[place] = telling[number(0...telling.count - 1)]
        case 2: bytes.remove(at: place)
        case 3: bytes.insert(telling[number(0...telling.count - 1)], at: place)
        case 4: bytes.removeLast(number(0...bytes.count - 1 - place))
        case 5: bytes.insert(contentsOf: bytes[place...].prefix(number(1...16)), at: place)
        default: bytes[place] = UInt8.random(in: .min ... .max, using: &self)
        }
    }
}
