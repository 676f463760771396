/// The rules for topic names and topic filters (MQTT 3.1.1 and MQTT 5 section 4.7), on the bytes of the wire.
package enum Topics {
    static let slash = UInt8(ascii: "/")
    static let plus = UInt8(ascii: "+")
    static let hash = UInt8(ascii: "#")

    /// Checks the topic name of a PUBLISH or a will.
    package static func validate(name: Span<UInt8>, in type: PacketType) throws(DecodeError) {
        if name.isEmpty { throw .emptyTopicName }  // [MQTT-4.7.3-1] [MQTT5-4.7.3-1]
        try validate(text: name, in: type)  // [MQTT-3.3.2-1] [MQTT5-3.3.2-1]
        // [MQTT-3.3.2-2] [MQTT-4.7.1-1] [MQTT5-3.3.2-2] [MQTT5-4.7.0-1]
        if hasWildcard(name) { throw .wildcardInTopicName }
    }

    static func hasWildcard(_ name: Span<UInt8>) -> Bool {
        for index in name.indices where name[index] == plus || name[index] == hash { return true }
        return false
    }

    /// Checks a topic filter: `#` stands alone at the end, `+` alone in its level.
    package static func validate(filter: Span<UInt8>, in type: PacketType) throws(DecodeError) {
        if filter.isEmpty { throw .invalidTopicFilter }  // [MQTT-4.7.3-1] [MQTT5-4.7.3-1]
        try validate(text: filter, in: type)  // [MQTT-3.8.3-1] [MQTT5-3.8.3-1]
        for index in filter.indices {
            let byte = filter[index]
            guard byte == plus || byte == hash else { continue }
            let startsLevel = index == 0 || filter[index - 1] == slash
            let isLast = index == filter.count - 1
            let endsLevel = isLast || filter[index + 1] == slash
            // [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT5-4.7.1-1] [MQTT5-4.7.1-2]
            if !startsLevel || !endsLevel { throw .invalidTopicFilter }
            if byte == hash && !isLast { throw .invalidTopicFilter }  // [MQTT-4.7.1-2] [MQTT5-4.7.1-1]
        }
    }

    /// Checks a text of the wire: well-formed UTF-8 without U+0000, control characters and code points that Unicode keeps for no character.
    ///
    /// The specification leaves it to the receiver to close the connection for the latter (MQTT 3.1.1 section 1.5.3, MQTT 5 section 1.5.4).
    /// Many clients do when they are sent one, and would meet a message that is sent again, or retained, at every reconnect.
    package static func validate(text: Span<UInt8>, in type: PacketType) throws(DecodeError) {
        do {
            _ = try UTF8Span(validating: text)  // [MQTT-1.5.3-1] [MQTT5-1.5.4-1]
        } catch {
            throw .invalidUTF8(type)
        }
        for index in text.indices {
            let byte = text[index]
            if byte >= 0x20 && byte < 0x7F { continue }
            // [MQTT-1.5.3-2] [MQTT-4.7.3-2] [MQTT5-1.5.4-2] [MQTT5-4.7.3-2]
            if byte == 0 { throw .nullCharacter(type) }
            if isDisallowed(byte, at: index, in: text) { throw .disallowedCharacter(type) }
        }
    }

    /// Whether a well-formed text holds a character that no text of the wire may, U+0000 among them.
    package static func hasDisallowedCharacter(_ text: Span<UInt8>) -> Bool {
        for index in text.indices where isDisallowed(text[index], at: index, in: text) { return true }
        return false
    }

    /// Whether the scalar that begins at an index is a control character or a non-character; the text is well-formed.
    private static func isDisallowed(_ first: UInt8, at index: Int, in text: Span<UInt8>) -> Bool {
        switch first {
        case 0x00...0x1F, 0x7F: true  // U+0000 to U+001F, U+007F
        case 0xC2: text[index + 1] <= 0x9F  // U+0080 to U+009F
        case 0xEF where text[index + 1] == 0xB7: (0x90...0xAF).contains(text[index + 2])  // U+FDD0 to U+FDEF
        case 0xEF: text[index + 1] == 0xBF && text[index + 2] >= 0xBE  // U+FFFE and U+FFFF
        // The same two of every other plane: their 16 low bits are all ones but for the last.
        case 0xF0...0xF4: text[index + 1] & 0x0F == 0x0F && text[index + 2] == 0xBF && text[index + 3] >= 0xBE
        default: false
        }
    }

    /// `a/#` as the filter that matches the same but `a` itself: what AWS IoT takes `#` for, one level or more.
    package static func withoutParent(_ filter: String) -> String {
        filter.utf8.count > 2 && filter.utf8.suffix(2).elementsEqual("/#".utf8) ? filter.dropLast(1) + "+/#" : filter
    }

    /// Whether `filter` matches `name`, both valid.
    ///
    /// For single look-ups; the broker's index does this for all filters at once.
    package static func matches(name: String, filter: String) -> Bool {
        let nameLevels = name.utf8.split(separator: slash, omittingEmptySubsequences: false)
        let filterLevels = filter.utf8.split(separator: slash, omittingEmptySubsequences: false)
        if name.utf8.first == UInt8(ascii: "$"), let first = filter.utf8.first, first == plus || first == hash {
            return false  // [MQTT-4.7.2-1] [MQTT5-4.7.2-1]
        }
        for (position, level) in filterLevels.enumerated() {
            if level.elementsEqual([hash]) { return true }  // [MQTT-4.7.1-2]: also matches the parent level
            guard position < nameLevels.count else { return false }
            if level.elementsEqual([plus]) { continue }
            if !level.elementsEqual(nameLevels[position]) { return false }  // by bytes, not as Swift texts [MQTT-4.7.3-4] [MQTT5-4.7.3-4]
        }
        return filterLevels.count == nameLevels.count
    }
}
