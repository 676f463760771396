/// Why a topic template is refused, or why it made no topic for one event.
package enum TopicTemplateError: Error, Equatable, Sendable, CustomStringConvertible {
    // At creation.
    case emptyTopic
    case tooLong(bytesMax: Int)
    case forbiddenCharacter(String)
    case unknownPlaceholder(String)
    case emptyPlaceholder
    case path(placeholder: String, EventPathError)
    // At delivery.
    case missingValue(placeholder: String)
    case notScalar(placeholder: String)
    case emptyValue(placeholder: String)
    case changesShape(placeholder: String, character: String)

    package var description: String {
        switch self {
        case .emptyTopic: "the topic is empty"
        case .tooLong(let bytesMax): "the topic is longer than \(bytesMax) bytes"
        case .forbiddenCharacter(let character): "a topic must not contain \(character)"
        case .unknownPlaceholder(let name): "placeholder <\(name)> is not in InputPathsMap"
        case .emptyPlaceholder: "placeholder <> has no name"
        case .path(let name, let error): "placeholder <\(name)>: \(error)"
        case .missingValue(let name): "placeholder <\(name)> has no value in this event"
        case .notScalar(let name): "placeholder <\(name)> is an object or an array in this event"
        case .emptyValue(let name): "placeholder <\(name)> is empty in this event"
        case .changesShape(let name, let character): "placeholder <\(name)> has \(character) in this event"
        }
    }
}

/// A topic with `<name>` placeholders, filled from each event.
///
/// A value fills part of one topic level and never changes the topic's shape: what would, fails the delivery.
package struct TopicTemplate: Sendable {
    /// The longest topic MQTT can carry, in bytes.
    package static let bytesMax = 65_535

    private enum Part: Sendable {
        case literal(ArraySlice<UInt8>)
        case value(name: String, EventPath)
    }

    private let parts: [Part]

    package init(parsing template: String, placeholders: [(name: String, path: String)]) throws(TopicTemplateError) {
        guard !template.isEmpty else { throw .emptyTopic }
        guard template.utf8.count <= TopicTemplate.bytesMax else { throw .tooLong(bytesMax: TopicTemplate.bytesMax) }
        var parts: [Part] = []
        var rest = ArraySlice(template.utf8)
        while !rest.isEmpty {
            let literal = rest.prefix { $0 != UInt8(ascii: "<") }
            if let character = TopicTemplate.forbidden(in: literal) { throw .forbiddenCharacter(character) }
            if !literal.isEmpty { parts.append(.literal(literal)) }
            rest = rest[literal.endIndex...]
            guard !rest.isEmpty else { break }
            guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { throw .forbiddenCharacter("'<' without '>'") }
            let name = String(decoding: rest[rest.startIndex + 1..<end], as: UTF8.self)
            guard !name.isEmpty else { throw .emptyPlaceholder }
            guard let path = placeholders.last(where: { $0.name.utf8.elementsEqual(name.utf8) })?.path else {
                throw .unknownPlaceholder(name)
            }
            do throws(EventPathError) {
                parts.append(.value(name: name, try EventPath(parsing: path)))
            } catch {
                throw .path(placeholder: name, error)
            }
            rest = rest[(end + 1)...]
        }
        self.parts = parts
    }

    /// The topic for one event.
    ///
    /// - Throws: the placeholder that has no usable value. JSON null counts as no value.
    package func render(_ event: JSONView) throws(TopicTemplateError) -> String {
        var topic: [UInt8] = []
        for part in parts {
            switch part {
            case .literal(let text):
                topic.append(contentsOf: text)
            case .value(let name, let path):
                guard let value = path.select(in: event), value.kind != .null else { throw .missingValue(placeholder: name) }
                guard let text = value.scalarText else { throw .notScalar(placeholder: name) }
                guard !text.isEmpty else { throw .emptyValue(placeholder: name) }
                if let character = TopicTemplate.forbidden(in: text) ?? TopicTemplate.shapeChange(in: text, at: topic.count) {
                    throw .changesShape(placeholder: name, character: character)
                }
                topic.append(contentsOf: text)
            }
            guard topic.count <= TopicTemplate.bytesMax else { throw .tooLong(bytesMax: TopicTemplate.bytesMax) }
        }
        return String(decoding: topic, as: UTF8.self)
    }

    private static func forbidden(in text: ArraySlice<UInt8>) -> String? {
        if text.contains(UInt8(ascii: "+")) { return "'+'" }
        if text.contains(UInt8(ascii: "#")) { return "'#'" }
        if text.contains(0) { return "NUL" }
        return text.contains { $0 < 0x20 || $0 >= 0x7F } ? unprintable(in: text) : nil
    }

    /// A control character or what is no character of Unicode: many clients close the connection that brings them one.
    private static func unprintable(in text: ArraySlice<UInt8>) -> String? {
        let found = String(decoding: text, as: UTF8.self).unicodeScalars.first {
            $0.properties.generalCategory == .control || $0.properties.isNoncharacterCodePoint
        }
        return found.map { scalar in
            let digits = String(scalar.value, radix: 16, uppercase: true)
            return "U+" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
        }
    }

    /// A level separator, or a `$` that would turn the whole topic into one of the broker's own.
    private static func shapeChange(in text: ArraySlice<UInt8>, at position: Int) -> String? {
        if text.contains(UInt8(ascii: "/")) { return "'/'" }
        return position == 0 && text.first == UInt8(ascii: "$") ? "'$' at the start of the topic" : nil
    }
}
