import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// Topic aliases that somebody sends to do harm (MQTT 5 section 3.3.2.3.4): row 32 of the project's list of threats.
@Suite struct HostileAliasesTests {
    /// PUBLISH at QoS 0 with these aliases, in bytes, for some have no form that the codec would write.
    private static func publish(_ topic: String, aliases: [UInt16]) -> [UInt8] {
        let properties = aliases.flatMap { [0x23, UInt8($0 >> 8), UInt8($0 & 255)] }
        let body = [0, UInt8(topic.utf8.count)] + Array(topic.utf8) + [UInt8(properties.count)] + properties + [0x78]
        return [0x30, UInt8(body.count)] + body
    }

    /// What comes of one PUBLISH after `t` was given the alias 1: the topic that subscribers see, or how the connection ends.
    private struct Row: Sendable, CustomTestStringConvertible {
        var topic: String
        var aliases: [UInt16]
        var seen: String?
        var code: ReasonCode?

        var testDescription: String { "'\(topic)' \(aliases)" }
    }

    private static let rows: [Row] = [
        Row(topic: "", aliases: [1], seen: "t"),
        Row(topic: "u", aliases: [1], seen: "u"),
        Row(topic: "u", aliases: [32], seen: "u"),
        Row(topic: "u", aliases: [], seen: "u"),
        Row(topic: "", aliases: [], code: .protocolError),
        Row(topic: "", aliases: [2], code: .protocolError),  // stands for nothing
        Row(topic: "", aliases: [32], code: .protocolError),
        Row(topic: "", aliases: [33], code: .topicAliasInvalid),
        Row(topic: "u", aliases: [33], code: .topicAliasInvalid),
        Row(topic: "u", aliases: [65_535], code: .topicAliasInvalid),
        Row(topic: "", aliases: [0], code: .topicAliasInvalid),
        Row(topic: "u", aliases: [0], code: .topicAliasInvalid),
        Row(topic: "u", aliases: [1, 1], code: .protocolError),  // twice in one packet
        Row(topic: "", aliases: [1, 2], code: .protocolError),
        Row(topic: "u/+", aliases: [1], code: .malformedPacket),
    ]

    // [MQTT5-3.3.2-8] [MQTT5-3.3.2-9]
    @Test("Threat 32: every alias, given or used, known or not, does what the table says", arguments: rows)
    private func table(row: Row) throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r")
        _ = try reader.subscribe5("#")
        let client = try broker.client5("p")
        client.send(ByteBuffer(bytes: Self.publish("t", aliases: [1])))
        client.send(ByteBuffer(bytes: Self.publish(row.topic, aliases: row.aliases)))
        broker.settle()
        #expect(try client.read().withoutReasonStrings == (row.code.map(disconnected) ?? []))
        #expect(client.isConnected == (row.code == nil))
        #expect(try reader.read().messages == ["t=x"] + (row.seen.map { ["\($0)=x"] } ?? []))
    }

    @Test("Threat 32: each alias up to the maximum stands for its own topic [MQTT5-3.3.2-12]")
    func everyAlias() throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r")
        _ = try reader.subscribe5("#")
        let client = try broker.client5("p")
        for alias: UInt16 in 1...32 { client.send(message5("t/\(alias)", "1") { $0.topicAlias = alias }) }
        broker.settle()
        _ = try reader.read()
        for alias: UInt16 in (1...32).reversed() { client.send(message5("", "2") { $0.topicAlias = alias }) }
        broker.settle()
        #expect(try reader.read().messages == (1...32).reversed().map { "t/\($0)=2" })
    }

    @Test("Threat 32: aliases of the two directions, and of other connections, have nothing to do with each other [MQTT5-3.3.2-7]")
    func aliasesDoNotMix() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a") { $0.topicAliasMaximum = 10 }
        _ = try client.subscribe5("#")
        let other = try broker.client5("b") { $0.topicAliasMaximum = 10 }
        _ = try other.exchange(message5("theirs", "1") { $0.topicAlias = 1 })
        #expect(try client.read().publishes.map(\.properties.topicAlias) == [1])
        // 1 is the broker's alias for `theirs` on this connection, and the other client's on its own: neither is this client's.
        #expect(try client.exchange(message5("mine", "2") { $0.topicAlias = 1 }).messages == ["mine=2"])
        #expect(try client.exchange(message5("", "3") { $0.topicAlias = 1 }).messages == ["=3"])
        #expect(try other.exchange(message5("", "4") { $0.topicAlias = 1 }) == [])
        let last = try #require(try client.read().publishes.first)
        #expect(last.topic.readableBytes == 0 && last.properties.topicAlias == 1)  // `theirs`, by the broker's alias
        let stranger = try broker.client5("c")
        #expect(try stranger.exchange(message5("", "5") { $0.topicAlias = 1 }).withoutReasonStrings == disconnected(.protocolError))
    }

    @Test("Threat 32: a client that takes 65,535 aliases is given outboundTopicAliasesMax, however many topics there are [MQTT5-3.3.2-11]")
    func outboundAliasesAreBounded() throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r") { $0.topicAliasMaximum = .max }
        _ = try reader.subscribe5("#")
        let client = try broker.client5("p")
        for _ in 0..<2 {
            for number in 0..<1_000 { client.send(message5("t/\(number)", "x")) }
            broker.settle()
            let aliases = try reader.read().publishes.compactMap(\.properties.topicAlias)
            #expect(aliases == Array(1...32))
        }
    }

    @Test("Threat 32: a topic that the client may not publish to gives nobody anything by its alias")
    func aliasOfARefusedTopic() throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r")
        _ = try reader.subscribe5("$SYS/#")
        let client = try broker.client5("p")
        let refusal = Acknowledgement(packetID: 1, reasonCode: .notAuthorized)
        for topic in ["$SYS/x", ""] {
            #expect(try client.exchange(message5(topic, "x", qos: .atLeastOnce, packetID: 1) { $0.topicAlias = 1 }) == [.puback(refusal)])
        }
        #expect(try reader.read() == [])
    }
}
