import BrokerCore
import HTTPTypes
import Hummingbird
import MQTTCodec
import NIOCore
import Rules

/// What a call of Publish says beside the payload.
///
/// See "Publish" in the AWS IoT Data Plane's API reference.
struct PublishCall {
    private static let parameters = ["qos", "retain", "contentType", "responseTopic", "messageExpiry"]

    let topic: String
    let qos: QoS
    let retain: Bool
    private var properties = Properties()
    private let expirySeconds: UInt32?

    /// - Throws: for what is missing, out of bounds, or unknown.
    init(topic: String, query: Substring?, headers: HTTPFields) throws(DataPlaneError) {
        let query = QueryParameters(query)
        if let other = query.values.keys.sorted().first(where: { !Self.parameters.contains($0) }) {
            throw .invalid("Publish has no parameter \(other); there are \(Self.parameters.joined(separator: ", "))")
        }
        try Self.check(topic, what: "topic")
        if topic.utf8.first == UInt8(ascii: "$"), BasicIngest.parts(of: topic) == nil {
            throw .forbidden("The topic '\(topic)' is the broker's own")
        }
        self.topic = topic
        switch query["qos"] ?? "0" {
        case "0": qos = .atMostOnce
        case "1": qos = .atLeastOnce
        case let other: throw .invalid("qos is \(other), but must be 0 or 1")
        }
        switch query["retain"] ?? "false" {
        case "true": retain = true
        case "false": retain = false
        case let other: throw .invalid("retain is \(other), but must be true or false")
        }
        expirySeconds = try query["messageExpiry"].map { (text) throws(DataPlaneError) in
            guard let seconds = UInt32(text) else { throw .invalid("messageExpiry is \(text), but must be a number of seconds") }
            return seconds
        }
        try readProperties(query, headers)
    }

    private mutating func readProperties(_ query: QueryParameters, _ headers: HTTPFields) throws(DataPlaneError) {
        switch headers[.payloadFormatIndicator] {
        case nil, "UNSPECIFIED_BYTES": break
        case "UTF8_DATA": properties.payloadFormatIndicator = .utf8
        case .some(let other):
            throw .invalid("The payload format indicator is \(other), but must be UTF8_DATA or UNSPECIFIED_BYTES")
        }
        if let type = query["contentType"] {
            try Self.checkText(type, what: "The contentType")
            properties.contentType = type
        }
        if let topic = query["responseTopic"] {
            try Self.check(topic, what: "responseTopic")
            properties.responseTopic = topic
        }
        if let text = headers[.correlationData] {
            guard let data = Base64.decode(Array(text.utf8)[...]), data.count <= Int(UInt16.max) else {
                throw .invalid("The correlation data is not base64 of at most 65,535 bytes")
            }
            properties.correlationData = ByteBuffer(bytes: data)
        }
        if let text = headers[.userProperties] { try readUserProperties(text) }
    }

    /// An array of objects, in base64: `[{"name": "value"}, …]`.
    private mutating func readUserProperties(_ text: String) throws(DataPlaneError) {
        let fault = DataPlaneError.invalid("The user properties are not base64 of a JSON array of objects with texts as values")
        guard let bytes = Base64.decode(Array(text.utf8)[...]) else { throw fault }
        let document = try? JSONDocument(parsing: bytes, limits: JSONLimits(bytesMax: max(1, bytes.count)))
        guard let root = document?.root, root.kind == .array else { throw fault }
        for element in root.elements {
            guard element.kind == .object else { throw fault }
            for member in element.members {
                guard let value = member.value.stringValue else { throw fault }
                try Self.checkText(member.name, what: "A user property's name")
                try Self.checkText(value, what: "A user property's value")
                properties.append(Property(.userProperty, .textPair(member.name, value)))
            }
        }
    }

    private static func check(_ topic: String, what: String) throws(DataPlaneError) {
        guard topic.utf8.count <= TopicTemplate.bytesMax else {
            throw .invalid("The \(what) is longer than \(TopicTemplate.bytesMax) bytes")
        }
        do throws(DecodeError) {
            try Topics.validate(name: Array(topic.utf8).span, in: .publish)
        } catch {
            throw .invalid("The \(what) is no topic name: \(error)")
        }
    }

    private static func checkText(_ text: String, what: String) throws(DataPlaneError) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Int(UInt16.max), !Topics.hasDisallowedCharacter(bytes.span) else {
            throw .invalid("\(what) is longer than 65,535 bytes, or has a control character in it")
        }
    }

    /// The message with a payload.
    ///
    /// - Throws: for a payload that is not the text that the call says it is.
    func message(_ payload: ByteBuffer, now: Instant) throws(DataPlaneError) -> Message {
        if properties.payloadFormatIndicator == .utf8, (try? UTF8Span(validating: payload.readableBytesUInt8Span)) == nil {
            throw .invalid("The payload is not UTF-8, as the payload format indicator says")  // [MQTT5-3.3.2-4]
        }
        return Message(
            topic: ByteBuffer(string: topic), payload: payload, qos: qos, retain: retain,
            properties: MessageProperties(forwarded: properties.forwarded, expiryInterval: expirySeconds, now: now))
    }
}
