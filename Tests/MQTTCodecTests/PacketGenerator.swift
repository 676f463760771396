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

    private static let letters = ["a", "b", "Z", "0", " ", "$", "é", "e\u{301}", "\u{FEFF}", "日", "😀", "\u{A0}", "\u{FFFD}"]

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

    mutating func connect(_ version: ProtocolVersion) -> Connect {
        let will =
            flag()
            ? Will(topic: topicName(), payload: bytes(upTo: 40), qos: qos(), retain: flag(), properties: properties(.will, version)) : nil
        let userName = flag() ? text(upTo: 10) : nil
        let password = (userName != nil || version == .v5) && flag() ? bytes(upTo: 20) : nil
        var connect = Connect(
            clientID: text(upTo: 12), cleanStart: flag(), keepAlive: UInt16(number(0...65_535)), version: version,
            properties: properties(.connect, version), will: will, userName: userName, password: password)
        if connect.properties.authenticationMethod == nil { connect.properties.authenticationData = nil }
        return connect
    }

    mutating func publish(_ version: ProtocolVersion, from sender: Sender = .client) -> Publish {
        let qos = qos()
        let properties = properties(.publish, version, from: sender)
        let topic = properties.topicAlias != nil && flag() ? ByteBuffer() : topicName()
        return Publish(
            topic: topic, payload: bytes(upTo: number(0...9) == 0 ? 20_000 : 60), qos: qos, retain: flag(),
            duplicate: qos != .atMostOnce && flag(), packetID: qos == .atMostOnce ? 0 : identifier(), properties: properties)
    }

    /// A packet that `sender` may send; before MQTT 5, whose packets look alike from both sides, of any type.
    mutating func packet(_ version: ProtocolVersion = .v311, from sender: Sender = .client) -> Packet {
        let types = PacketType.allCases.filter { version != .v5 ? $0 != .auth : sender == .server || $0.isSentByClients }
        switch types[number(0...types.count - 1)] {
        case .connect: return .connect(connect(version))
        case .connack:
            var code = reasonCode(.connack, .server, version)
            if version != .v5 { code = ConnectReturnCode(nearest: code).reasonCode }
            let isPresent = code == .success && version != .v31 && flag()
            return .connack(Connack(sessionPresent: isPresent, reasonCode: code, properties: properties(.connack, version)))
        case .publish: return .publish(publish(version, from: sender))
        case .puback: return .puback(acknowledgement(.puback, .puback, version, sender))
        case .pubrec: return .pubrec(acknowledgement(.pubrec, .pubrec, version, sender))
        case .pubrel: return .pubrel(acknowledgement(.pubrel, .pubrel, version, sender))
        case .pubcomp: return .pubcomp(acknowledgement(.pubcomp, .pubcomp, version, sender))
        case .subscribe:
            let requests = (0..<number(1...8)).map { _ in request(version) }
            return .subscribe(
                Subscribe(packetID: identifier(), requests: requests, properties: properties(.subscribe, version)))
        case .suback:
            let codes = (0..<number(1...8)).map { _ in
                let code = reasonCode(.suback, .server, version)
                return version != .v5 && code.isError ? version == .v31 ? .grantedQoS0 : .unspecifiedError : code
            }
            return .suback(Suback(packetID: identifier(), reasonCodes: codes, properties: properties(.suback, version)))
        case .unsubscribe:
            let filters = (0..<number(1...8)).map { _ in topicFilter() }
            return .unsubscribe(
                Unsubscribe(packetID: identifier(), filters: filters, properties: properties(.unsubscribe, version)))
        case .unsuback:
            let codes = version != .v5 ? [] : (0..<number(1...8)).map { _ in reasonCode(.unsuback, .server, version) }
            return .unsuback(Unsuback(packetID: identifier(), reasonCodes: codes, properties: properties(.unsuback, version)))
        case .pingreq: return .pingreq
        case .pingresp: return .pingresp
        case .disconnect:
            let code = version != .v5 ? .success : reasonCode(.disconnect, sender, version)
            return .disconnect(Disconnect(reasonCode: code, properties: properties(.disconnect, version, from: sender)))
        case .auth:
            var properties = properties(.auth, version)
            if properties.authenticationMethod == nil { properties.authenticationMethod = text(upTo: 5) }
            return .auth(Auth(reasonCode: reasonCode(.auth, sender, version), properties: properties))
        }
    }

    private mutating func acknowledgement(
        _ type: PacketType, _ place: PropertyPlace, _ version: ProtocolVersion, _ sender: Sender
    ) -> Acknowledgement {
        let code = version != .v5 ? .success : reasonCode(type, sender, version)
        return Acknowledgement(packetID: identifier(), reasonCode: code, properties: properties(place, version))
    }

    private mutating func request(_ version: ProtocolVersion) -> Subscribe.Request {
        if version != .v5 { return Subscribe.Request(filter: topicFilter(), qos: qos()) }
        let isShared = number(0...4) == 0
        return Subscribe.Request(
            filter: isShared ? "$share/g\(number(0...9))/" + topicFilter() : topicFilter(), qos: qos(), noLocal: !isShared && flag(),
            retainAsPublished: flag(), retainHandling: RetainHandling(rawValue: UInt8(number(0...2))) ?? .sendIfNew)
    }

    private mutating func reasonCode(_ type: PacketType, _ sender: Sender, _ version: ProtocolVersion) -> ReasonCode {
        let codes = ReasonCode.allCases.filter { $0.isAllowed(in: type, from: sender) }
        return codes[number(0...codes.count - 1)]
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
