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

    /// Checks a text of the wire: well-formed UTF-8 without U+0000.
    package static func validate(text: Span<UInt8>, in type: PacketType) throws(DecodeError) {
        do {
            _ = try UTF8Span(validating: text)  // [MQTT-1.5.3-1] [MQTT5-1.5.4-1]
        } catch {
            throw .invalidUTF8(type)
        }
        // [MQTT-1.5.3-2] [MQTT-4.7.3-2] [MQTT5-1.5.4-2] [MQTT5-4.7.3-2]
        for index in text.indices where text[index] == 0 { throw .nullCharacter(type) }
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
