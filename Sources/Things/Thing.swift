import EventBus

/// A thing as AWS IoT's registry has it: a name for a device, and what is known of it.
package struct Thing: Sendable, Equatable {
    package let name: String
    /// A UUID.
    package let id: String
    package internal(set) var attributes: [String: String]
    /// The name of its type; nil for none.
    package internal(set) var type: String?
    /// The names of the groups that it is in, in the order in which it came to them.
    package internal(set) var groups: [String] = []
    /// Counts the changes, from 1.
    package internal(set) var version: Int64 = 1

    /// Characters of an attribute's name and value, and what they may be: the service's.
    private static let attributeNameMax = 128
    private static let attributeValueMax = 800

    init(name: String, id: String, attributes: [String: String] = [:], type: String? = nil) {
        (self.name, self.id, self.attributes, self.type) = (name, id, attributes, type)
    }

    /// Refuses attributes that no thing, or no group of things, may have.
    static func check(_ attributes: [String: String], _ limits: ThingLimits, of what: String = "thing") throws(ControlError) {
        for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
            guard (1...attributeNameMax).contains(name.utf8.count), name.utf8.allSatisfy({ isLetter($0) || "_.,@/:#-".utf8.contains($0) })
            else {
                throw ControlError(.invalidRequest, "The attribute name '\(name.prefix(attributeNameMax))' must match [a-zA-Z0-9_.,@/:#-]+")
            }
            guard value.utf8.count <= attributeValueMax, value.utf8.allSatisfy({ isLetter($0) || "_.,@/:#=[]-".utf8.contains($0) }) else {
                throw ControlError(.invalidRequest, "The value of the attribute \(name) must match [a-zA-Z0-9_.,@/:#=\\[\\]-]*")
            }
        }
        guard attributes.count <= limits.thingAttributesMax else {
            throw ControlError(.invalidRequest, "A \(what) may have thingAttributesMax (\(limits.thingAttributesMax)) attributes.")
        }
        let bytes = attributes.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        guard bytes <= limits.thingAttributeBytesMax else {
            throw ControlError(
                .invalidRequest, "The attributes of a \(what) may have thingAttributeBytesMax (\(limits.thingAttributeBytesMax)) bytes.")
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
