import Documents
import MQTTCodec
import NIOCore
import Rules

/// What of MQTT 5 a republished message has beside its topic and payload.
struct RepublishHeaders: Sendable {
    static let userPropertiesMax = 100
    /// The most bytes of all headers of one message.
    static let bytesMax = 65_536

    /// A field's name, for messages, and what it is filled with.
    private struct Field: Sendable {
        let name: String
        let template: SubstitutionTemplate
    }

    private let payloadFormatIndicator: Field?
    private let contentType: Field?
    private let responseTopic: Field?
    private let correlationData: Field?
    private let messageExpiry: Field?
    private let userProperties: [(key: Field, value: Field)]

    /// Reads them; a value that is the same for every message is checked here.
    init(_ node: Node, what: String, scope: TemplatePlaces) throws(DocumentError) {
        let known = ["PayloadFormatIndicator", "ContentType", "ResponseTopic", "CorrelationData", "MessageExpiry", "UserProperties"]
        let fields = try ActionFields(node, known: known, what: what, scope: scope)
        func field(_ name: String, _ check: (String) throws(DeliveryFailure) -> Void) throws(DocumentError) -> Field? {
            guard let (template, location) = try fields.optionalTemplate(name) else { return nil }
            guard let constant = template.constant else { return Field(name: name, template: template) }
            do throws(DeliveryFailure) { try check(constant) } catch { throw DocumentError("\(what): \(error.message)", at: location) }
            return Field(name: name, template: template)
        }
        payloadFormatIndicator = try field("PayloadFormatIndicator") { (text) throws(DeliveryFailure) in
            _ = try Self.isUTF8(text)
        }
        contentType = try field("ContentType") { (text) throws(DeliveryFailure) in try Self.checkText(text, "ContentType") }
        responseTopic = try field("ResponseTopic", Self.checkResponseTopic)
        correlationData = try field("CorrelationData") { (text) throws(DeliveryFailure) in _ = try Self.bytes(text) }
        messageExpiry = try field("MessageExpiry") { (text) throws(DeliveryFailure) in _ = try Self.seconds(text) }
        var pairs: [(key: Field, value: Field)] = []
        if let value = fields["UserProperties"] {
            let elements = try value.elements("UserProperties")
            guard elements.count <= Self.userPropertiesMax else {
                throw DocumentError("\(what): more than \(Self.userPropertiesMax) UserProperties", at: value.location)
            }
            for element in elements {
                let pair = try ActionFields(element, known: ["Key", "Value"], what: "\(what): UserProperties", scope: scope)
                pairs.append(
                    (
                        Field(name: "UserProperties", template: try pair.template("Key").template),
                        Field(name: "UserProperties", template: try pair.template("Value").template)
                    ))
            }
        }
        userProperties = pairs
    }

    /// The headers of one message.
    ///
    /// - Throws: the field that has no value, or none that MQTT 5 takes.
    func render(
        _ input: SQLInput, _ match: SQLMatch?, payload: [UInt8]
    ) throws(DeliveryFailure) -> (properties: Properties, messageExpirySeconds: UInt32?) {
        func text(_ field: Field) throws(DeliveryFailure) -> String {
            guard let text = field.template.render(input, match) else { throw .undefined(field: field.name) }
            try Self.checkText(text, field.name)
            return text
        }
        var properties = Properties()
        if let field = payloadFormatIndicator, try Self.isUTF8(try text(field)) {
            guard String(validating: payload, as: UTF8.self) != nil else {
                throw .invalidHeader(field: field.name, "says UTF8_DATA, but the payload is not UTF-8")  // [MQTT5-3.3.2-4]
            }
            properties.append(Property(.payloadFormatIndicator, .byte(PayloadFormatIndicator.utf8.rawValue)))
        }
        if let field = contentType { properties.append(Property(.contentType, .text(try text(field)))) }
        if let field = responseTopic {
            let topic = try text(field)
            try Self.checkResponseTopic(topic)
            properties.append(Property(.responseTopic, .text(topic)))
        }
        if let field = correlationData {
            properties.append(Property(.correlationData, .binary(ByteBuffer(bytes: try Self.bytes(try text(field))))))
        }
        for pair in userProperties {
            properties.append(Property(.userProperty, .textPair(try text(pair.key), try text(pair.value))))
            guard properties.encodedSize <= Self.bytesMax else {
                throw .invalidHeader(field: "UserProperties", "would make the headers longer than \(Self.bytesMax) bytes")
            }
        }
        let expiry = try messageExpiry.map { (field) throws(DeliveryFailure) in try Self.seconds(try text(field)) }
        return (properties, expiry)
    }

    // MARK: What the fields may hold

    private static func checkText(_ text: String, _ field: String) throws(DeliveryFailure) {
        guard !Topics.hasDisallowedCharacter(text.utf8.span) else {
            throw .invalidHeader(field: field, "would have a control character in it")
        }
    }

    private static func isUTF8(_ text: String) throws(DeliveryFailure) -> Bool {
        switch text {
        case "UTF8_DATA": return true
        case "UNSPECIFIED_BYTES": return false
        default: throw .invalidHeader(field: "PayloadFormatIndicator", "must be UTF8_DATA or UNSPECIFIED_BYTES, not `\(text)`")
        }
    }

    private static func checkResponseTopic(_ text: String) throws(DeliveryFailure) {
        // [MQTT5-3.3.2-14]
        guard isTopicName(text) else { throw .invalidHeader(field: "ResponseTopic", "must be the name of a topic, not `\(text)`") }
    }

    private static func bytes(_ text: String) throws(DeliveryFailure) -> [UInt8] {
        guard let bytes = Base64.decode(ArraySlice(text.utf8)) else {
            throw .invalidHeader(field: "CorrelationData", "must be Base64, which `\(text)` is not")
        }
        return bytes
    }

    private static func seconds(_ text: String) throws(DeliveryFailure) -> UInt32 {
        guard let seconds = UInt32(text) else {
            throw .invalidHeader(field: "MessageExpiry", "must be a whole number of seconds, not `\(text)`")
        }
        return seconds
    }
}
