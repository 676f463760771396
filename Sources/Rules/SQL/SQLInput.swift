/// What MQTT 5 says of a message beside its topic and payload.
package struct SQLMessageProperties: Sendable {
    package var contentType: String?
    package var isUTF8 = false
    package var responseTopic: String?
    package var correlationData: [UInt8]?
    /// In order; names may repeat.
    package var userProperties: [(name: String, value: String)] = []

    package init() {}
}

/// What the functions of the language ask of the world.
package struct SQLEnvironment: Sendable {
    package var accountID: String
    /// A new identifier each time.
    package var makeUUID: @Sendable () -> String
    /// 64 random bits.
    package var random: @Sendable () -> UInt64

    package init(
        accountID: String = "000000000000", makeUUID: @escaping @Sendable () -> String = { "00000000-0000-4000-8000-000000000000" },
        random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) }
    ) {
        self.accountID = accountID
        self.makeUUID = makeUUID
        self.random = random
    }
}

/// One message as rules see it.
///
/// The payload is parsed when the first rule asks for a part of it, and once for all rules.
package final class SQLInput {
    /// The topic; of a message of Basic Ingest, what follows the rule's name.
    package let topic: String
    package let payload: [UInt8]
    /// Nil if the message did not come over MQTT.
    package let clientID: String?
    package let principal: String?
    /// When the message came in: milliseconds since 1970, UTC.
    package let timestampMilliseconds: Int64
    let environment: SQLEnvironment
    /// `address:port` of the client's connection; nil where there is none.
    package let peer: String?
    private let readProperties: () -> SQLMessageProperties?

    package init(
        topic: String, payload: [UInt8], clientID: String?, principal: String?, timestampMilliseconds: Int64,
        environment: SQLEnvironment = SQLEnvironment(), peer: String? = nil, traceID: String? = nil,
        properties: @escaping () -> SQLMessageProperties? = { nil }
    ) {
        self.topic = topic
        self.payload = payload
        self.clientID = clientID
        self.principal = principal
        self.timestampMilliseconds = timestampMilliseconds
        self.environment = environment
        self.peer = peer
        readProperties = properties
        if let traceID { self.traceID = traceID }
    }

    /// The address that the message came from, without its port; nil where it came over no connection.
    package var sourceAddress: String? {
        guard let peer, let end = peer.lastIndex(of: ":") else { return nil }
        let address = peer[..<end]
        return String(address.hasPrefix("[") ? address.dropFirst().prefix { $0 != "]" } : address)
    }

    /// Whether any rule has asked for a part of the payload.
    private(set) var isParsed = false

    private lazy var parsed: Result<JSONView, JSONError> = {
        isParsed = true
        do throws(JSONError) {
            return .success(try JSONDocument(parsing: payload.isEmpty ? Array("{}".utf8) : payload).root)
        } catch {
            return .failure(error)
        }
    }()

    /// The payload as JSON.
    ///
    /// An empty payload counts as `{}`; nil for a payload that is no JSON.
    package var document: JSONView? { try? parsed.get() }

    /// Why the payload is no JSON, if it is none.
    ///
    /// Payloads past ``JSONLimits/bytesMax`` count as none.
    package var payloadError: JSONError? {
        guard case .failure(let error) = parsed else { return nil }
        return error
    }

    /// Nil for messages that did not come over MQTT 5.
    package private(set) lazy var properties: SQLMessageProperties? = readProperties()

    /// What ties the traces of one message together.
    package private(set) lazy var traceID: String = environment.makeUUID()

    /// Makes inputs equal to this one, which itself belongs to whoever looks at it now.
    package var remaking: @Sendable () -> SQLInput {
        let properties = properties
        let (topic, payload, clientID, principal) = (topic, payload, clientID, principal)
        let (timestamp, environment, peer, traceID) = (timestampMilliseconds, environment, peer, traceID)
        return {
            SQLInput(
                topic: topic, payload: payload, clientID: clientID, principal: principal, timestampMilliseconds: timestamp,
                environment: environment, peer: peer, traceID: traceID, properties: { properties })
        }
    }

    /// One level of the topic, counted from 1; nil past either end.
    func topicLevel(_ position: Int) -> ArraySlice<UInt8>? {
        let levels = ArraySlice(topic.utf8).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard position >= 1, position <= levels.count else { return nil }
        return levels[position - 1]
    }
}
