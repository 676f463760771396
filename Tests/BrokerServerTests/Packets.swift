import Foundation

/// Packets by hand: what is tested here is the way of the bytes, not their codec.
enum Packets {
    static func connect(_ clientID: String) -> [UInt8] {
        let id = Array(clientID.utf8)
        return [0x10, UInt8(12 + id.count), 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, UInt8(id.count)] + id
    }
    static let connack: [UInt8] = [0x20, 2, 0, 0]
    static let disconnect: [UInt8] = [0xE0, 0]

    static func subscribe(_ filter: String) -> [UInt8] {
        let name = Array(filter.utf8)
        return [0x82, UInt8(5 + name.count), 0, 1, 0, UInt8(name.count)] + name + [0]
    }
    static let suback: [UInt8] = [0x90, 3, 0, 1, 0]

    static func publish(_ topic: String, _ payload: String) -> [UInt8] {
        let name = Array(topic.utf8)
        let bytes = Array(payload.utf8)
        return [0x30, UInt8(2 + name.count + bytes.count), 0, UInt8(name.count)] + name + bytes
    }
}

extension Sequence<UInt8> {
    func holds(_ part: [UInt8]) -> Bool {
        Data(self).range(of: Data(part)) != nil
    }
}
