package import Logging

extension Logger.MetadataValue {
    /// The member of a line's metadata that names the event where its message is not the same each time.
    package static var eventKey: String { "log.event" }
}

extension Logger.Metadata {
    /// Metadata that names the event, for messages that say more than what happened.
    package static func event(_ name: String) -> Logger.Metadata { [Logger.MetadataValue.eventKey: "\(name)"] }
}

/// Names of events for programs that read the log.
enum LogEvents {
    /// Bytes of a name; a message that is not the same each time ends somewhere.
    private static let nameBytesMax = 64

    /// What a message that is always the same is called: its words in lower case with `_` between them.
    static func name(ofMessage message: String) -> String {
        var name: [UInt8] = []
        for byte in message.utf8.prefix(nameBytesMax) {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): name.append(byte)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): name.append(byte | 0x20)
            case UInt8(ascii: "'"): continue
            default: if let last = name.last, last != UInt8(ascii: "_") { name.append(UInt8(ascii: "_")) }
            }
        }
        if name.last == UInt8(ascii: "_") { name.removeLast() }
        return String(decoding: name, as: UTF8.self)
    }
}
