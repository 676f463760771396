import MQTTCodec

/// Text that equals another only byte by byte, as client identifiers, filters and principals must [MQTT-4.7.3-4] [MQTT5-4.7.3-4].
///
/// `String` compares by canonical equivalence: `é` and `e` with U+0301 would be one client and one filter.
package struct ExactText: Hashable, Comparable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (lhs: ExactText, rhs: ExactText) -> Bool {
        let (left, right) = (lhs.text.utf8.span, rhs.text.utf8.span)
        return left.count == right.count && left.hasSameBytes(from: 0, as: right, from: 0, count: left.count)
    }
    package static func < (lhs: ExactText, rhs: ExactText) -> Bool { lhs.text.utf8.lexicographicallyPrecedes(rhs.text.utf8) }

    package func hash(into hasher: inout Hasher) {
        var text = text
        // All bytes at once: each combination is a call into Swift's library.
        text.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)
    }
}
