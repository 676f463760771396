import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Synchronization
import Testing

/// Rules that note what they were handed, and republish it.
private final class NotingRules: MessageRules {
    let topicFilters = ["watched/#"]
    private let noted = Mutex<[String]>([])
    var all: [String] { noted.withLock { $0 } }

    func evaluate(_ message: Message, from publisher: Publisher, now: Instant) -> [Message] {
        let line = "\(message.topicName) \(String(buffer: message.payload)) \(publisher.clientID ?? "-")"
        noted.withLock { $0.append(line) }
        guard let topic = BasicIngest.parts(of: message.topicName)?.topic else { return [] }
        return [Message(topic: "out/\(topic)", payload: Array("made".utf8), qos: .atMostOnce, hops: 1)]
    }
}

/// Messages that a client hands to one rule: `$aws/rules/NAME/TOPIC`.
@Suite struct BasicIngestTests {
    private static let topic = "$aws/rules/Lights/floor2/room"

    @Test("The rules get the message, no subscriber does, and nothing of it is retained")
    func onlyTheRulesSeeIt() throws {
        let rules = NotingRules()
        let broker = SimulatedBroker(shards: 2, rules: rules)
        let watcher = try broker.client("w", at: 1)
        for (number, filter) in ["#", "$aws/#", Self.topic, "$aws/rules/+/+/+"].enumerated() {
            let code: ReasonCode = filter.hasPrefix("$aws/rules/") ? .unspecifiedError : .granted(.atMostOnce)
            let packetID = UInt16(number + 1)
            #expect(try watcher.subscribe(filter, packetID: packetID) == [.suback(Suback(packetID: packetID, reasonCodes: [code]))])
        }
        let client = try broker.client("a")
        #expect(
            try client.exchange(message(Self.topic, "x", qos: .atLeastOnce, packetID: 9, retain: true)) == [
                .puback(packetID: 9)
            ])
        #expect(rules.all == ["\(Self.topic) x a"])
        #expect(try watcher.read() == [message("out/floor2/room", "made")])
        #expect(broker.retained.count == 0)
        #expect(broker.dropped == [:])
    }

    @Test("MQTT 5 is told success, also with QoS 0 and 2, aliases and wills")
    func everyWayOfPublishing() throws {
        let rules = NotingRules()
        let broker = SimulatedBroker(shards: 1, rules: rules)
        let client = try broker.client5("a")
        let answer = try client.exchange(message5(Self.topic, "1", qos: .atLeastOnce, packetID: 1))
        #expect(answer == [.puback(packetID: 1)])
        _ = try client.exchange(message5(Self.topic, "2") { $0.topicAlias = 1 })
        _ = try client.exchange(message5("", "3") { $0.topicAlias = 1 })
        try broker.client("w", will: will(Self.topic, "gone", retain: true)).lose()
        broker.settle()
        #expect(rules.all == ["1 a", "2 a", "3 a", "gone w"].map { "\(Self.topic) \($0)" })
        #expect(broker.retained.count == 0)
    }

    @Test(
        "Other topics of the broker stay closed",
        arguments: ["$aws/rules/", "$aws/rules/R", "$aws/rules/R/", "$aws/rules//x", "$aws/things/x", "$SYS/x"])
    func otherTopicsStayClosed(topic: String) throws {
        let rules = NotingRules()
        let broker = SimulatedBroker(shards: 1, rules: rules)
        _ = try broker.client("a").exchange(message(topic, "x"))
        #expect(rules.all == [])
        #expect(broker.dropped == ["publish_denied": 1])
    }

    @Test("The name of a rule is as long as one can be, and no longer", arguments: [(128, true), (129, false), (60_000, false)])
    func longNames(bytes: Int, isTaken: Bool) throws {
        let rules = NotingRules()
        let broker = SimulatedBroker(shards: 1, rules: rules)
        let client = try broker.client("a")
        _ = try client.exchange(message("$aws/rules/\(String(repeating: "n", count: bytes))/x", "x"))
        #expect(client.isConnected == isTaken && rules.all.count == (isTaken ? 1 : 0))
    }

    @Test("Without rules there is no Basic Ingest")
    func withoutRules() throws {
        let broker = SimulatedBroker(shards: 1)
        _ = try broker.client("a").exchange(message(Self.topic, "x"))
        #expect(broker.dropped == ["publish_denied": 1])
    }

    @Test("As on IoT Core, the levels that name the rule do not count")
    func theLevelsOfTheRuleDoNotCount() throws {
        let rules = NotingRules()
        let broker = SimulatedBroker(shards: 1, rules: rules)
        let client = SimulatedClient("a", of: broker)
        client.open(terms: ListenerTerms(dialect: .aws))
        _ = try client.exchange(.connect(Connect(clientID: "a", cleanStart: true, keepAlive: 60)))
        _ = try client.exchange(message("$aws/rules/R/1/2/3/4/5/6/7/8", "x"))
        #expect(rules.all == ["$aws/rules/R/1/2/3/4/5/6/7/8 x a"])
        #expect(client.isConnected)
        _ = try client.exchange(message("$aws/rules/R/1/2/3/4/5/6/7/8/9", "x"))
        #expect(!client.isConnected)
    }

    @Test("A rule is found as a subscription is")
    func filtersAreFoundAsSubscriptionsAre() {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededRandom(seed: seed)
        let levels = ["a", "b", "", "+", "$aws"]
        func text(_ levels: [String]) -> String {
            (0..<Int.random(in: 1...4, using: &random)).map { _ in levels.randomElement(using: &random) ?? "a" }.joined(separator: "/")
        }
        for _ in 0..<200 {
            var filters: [String?] = (0..<20).map { _ in Bool.random(using: &random) ? text(levels) : text(levels) + "/#" }
            filters += ["#", nil]
            let index = FilterIndex(filters)
            for _ in 0..<20 {
                let topic = text(["a", "b", "", "$aws"])
                let expected = filters.indices.filter { filters[$0].map { Topics.matches(name: topic, filter: $0) } ?? false }
                #expect(index.matches(ByteBuffer(string: topic)) == expected, "\(topic), seed \(seed)")
            }
        }
    }
}
