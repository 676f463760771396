/// What a broker says of a session that it has accepted, or why it has not.
struct Connack {
    private(set) var isSessionPresent = false
    private(set) var receiveMaximum = 65_535
    private var code: UInt8 = 0

    init() {}

    /// Reads the packet's body; `nil` when it is not a CONNACK of this version.
    init?(_ body: ArraySlice<UInt8>, version: MQTTVersion) {
        guard body.count == 2 || (version == .v5 && body.count >= 3) else { return nil }
        isSessionPresent = body[body.startIndex] & 1 == 1
        code = body[body.startIndex + 1]
        if version == .v5, body.count >= 3 {
            guard readProperties(body.dropFirst(2)) else { return nil }
        }
    }

    /// Why the broker refused CONNECT: return codes of MQTT 3.1.1 (table 3.1), or reason codes of MQTT 5 (section 3.2.2.2).
    func refusal(version: MQTTVersion) -> String? {
        guard code != 0 else { return nil }
        let words: [UInt8: String] =
            version == .v311
            ? [
                1: "unacceptable protocol version", 2: "client identifier rejected", 3: "server unavailable",
                4: "bad user name or password", 5: "not authorized",
            ]
            : [
                0x84: "unsupported protocol version", 0x85: "client identifier rejected", 0x86: "bad user name or password",
                0x87: "not authorized", 0x88: "server unavailable", 0x89: "server busy", 0x8A: "banned", 0x97: "quota exceeded",
                0x9F: "connection rate exceeded",
            ]
        return words[code].map { "\($0) (\(code))" } ?? (version == .v311 ? "return code \(code)" : "reason code \(code)")
    }

    /// Looks for Receive Maximum (0x21); false when the properties are not in order.
    private mutating func readProperties(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        guard let length = Self.readVariableInteger(&rest), length <= rest.count else { return false }
        rest = rest.prefix(length)
        while let identifier = rest.popFirst() {
            switch identifier {
            case 0x24, 0x25, 0x28, 0x29, 0x2A:  // one byte
                guard rest.popFirst() != nil else { return false }
            case 0x13, 0x21, 0x22:  // two bytes
                guard let high = rest.popFirst(), let low = rest.popFirst() else { return false }
                if identifier == 0x21 { receiveMaximum = Int(high) << 8 | Int(low) }
            case 0x11, 0x27:  // four bytes
                guard rest.count >= 4 else { return false }
                rest = rest.dropFirst(4)
            case 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F:  // text or bytes
                guard Self.skipPrefixed(&rest) else { return false }
            case 0x26:  // two texts
                guard Self.skipPrefixed(&rest), Self.skipPrefixed(&rest) else { return false }
            default: return false
            }
        }
        return true
    }

    private static func skipPrefixed(_ bytes: inout ArraySlice<UInt8>) -> Bool {
        guard let high = bytes.popFirst(), let low = bytes.popFirst() else { return false }
        let length = Int(high) << 8 | Int(low)
        guard length <= bytes.count else { return false }
        bytes = bytes.dropFirst(length)
        return true
    }

    private static func readVariableInteger(_ bytes: inout ArraySlice<UInt8>) -> Int? {
        var value = 0
        for index in 0..<4 {
            guard let byte = bytes.popFirst() else { return nil }
            value |= Int(byte & 0x7F) << (7 * index)
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
