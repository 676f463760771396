/// One message as rules see it.
///
/// The payload is parsed once, for all rules.
package struct SQLInput: Sendable {
    package let topic: String
    package let payload: [UInt8]
    /// Nil if the message did not come over MQTT.
    package let clientID: String?
    package let principal: String?
    /// When the message came in: milliseconds since 1970, UTC.
    package let timestampMilliseconds: Int64
    /// The payload as JSON.
    ///
    /// An empty payload counts as `{}`; nil for a payload that is no JSON.
    package let document: JSONView?
    /// Why the payload is no JSON, if it is none.
    ///
    /// Payloads past ``JSONLimits/bytesMax`` count as none.
    package let payloadError: JSONError?

    package init(topic: String, payload: [UInt8], clientID: String?, principal: String?, timestampMilliseconds: Int64) {
        self.topic = topic
        self.payload = payload
        self.clientID = clientID
        self.principal = principal
        self.timestampMilliseconds = timestampMilliseconds
        do throws(JSONError) {
            document = try JSONDocument(parsing: payload.isEmpty ? Array("{}".utf8) : payload).root
            payloadError = nil
        } catch {
            document = nil
            payloadError = error
        }
    }

    /// One level of the topic, counted from 1; nil past either end.
    func topicLevel(_ position: Int) -> ArraySlice<UInt8>? {
        let levels = ArraySlice(topic.utf8).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard position >= 1, position <= levels.count else { return nil }
        return levels[position - 1]
    }
}
