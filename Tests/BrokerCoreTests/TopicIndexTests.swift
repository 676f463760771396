import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// Random topics and filters from a few short levels, so that they meet often.
struct RandomTopics {
    var random: SeededRandom

    mutating func name() -> String { levels(from: ["a", "b", "ab", "", "$S", "c\u{E9}", "ce\u{301}"]).joined(separator: "/") }

    mutating func filter() -> String {
        var levels = levels(from: ["a", "b", "ab", "", "$S", "+", "+", "c\u{E9}", "ce\u{301}"])
        if random.happens(percent: 30) { levels[levels.count - 1] = "#" }
        return levels.joined(separator: "/")
    }

    /// Not empty as a whole, as no topic may be.
    private mutating func levels(from names: [String]) -> [String] {
        while true {
            let count = Int.random(in: 1...4, using: &random)
            let levels = (0..<count).map { _ in names.randomElement(using: &random) ?? "a" }
            if levels != [""] { return levels }
        }
    }
}

/// The rules of section 4.7 as they are written, without an index.
func naivelyMatches(_ name: [UInt8], _ filter: [UInt8]) -> Bool {
    let slash = UInt8(ascii: "/")
    let names = name.split(separator: slash, omittingEmptySubsequences: false).map(Array.init)
    let filters = filter.split(separator: slash, omittingEmptySubsequences: false).map(Array.init)
    if name.first == UInt8(ascii: "$") && (filters[0] == Array("+".utf8) || filters[0] == Array("#".utf8)) { return false }
    func matches(_ depth: Int) -> Bool {
        if depth == filters.count { return depth == names.count }
        if filters[depth] == Array("#".utf8) { return true }
        if depth == names.count { return false }
        return (filters[depth] == Array("+".utf8) || filters[depth] == names[depth]) && matches(depth + 1)
    }
    return matches(0)
}

@Suite struct TopicIndexTests {
    private struct Holding: Hashable {
        var holder: Int
        var filter: [UInt8]
    }

    @Test(
        "Finds what a search through all filters finds, while filters come and go [MQTT-4.7.1-1]",
        arguments: 1...12 as ClosedRange<UInt64>)
    func againstSearch(seed: UInt64) {
        var topics = RandomTopics(random: SeededRandom(seed: seed))
        var index = TopicIndex()
        let sessions = (0..<4).map { Session(clientID: "\($0)", principal: nil, epoch: UInt64($0), expirySeconds: 0) }
        var wanted: [Holding: QoS] = [:]
        var wantedElsewhere = Set<[UInt8]>()
        let elsewhere = ShardID(3)
        for _ in 0..<300 {
            let filter = topics.filter()
            let bytes = Array(filter.utf8)
            let holder = Int.random(in: 0..<sessions.count, using: &topics.random)
            let holding = Holding(holder: holder, filter: bytes)
            let others = wanted.keys.contains { $0.filter == bytes && $0.holder != holder }
            switch Int.random(in: 0..<10, using: &topics.random) {
            case 0..<4:
                let qos = QoS.allCases.randomElement(using: &topics.random) ?? .atMostOnce
                let change = index.subscribe(sessions[holder], to: filter, options: SubscriptionOptions(qos: qos))
                #expect(change == (wanted[holding] == nil && !others ? .interest(filter: filter, wanted: true) : TopicIndex.Change.none))
                wanted[holding] = qos
            case 4..<7:
                let change = index.unsubscribe(sessions[holder], from: filter)
                let expected: TopicIndex.Change = others ? .none : .interest(filter: filter, wanted: false)
                #expect(change == (wanted.removeValue(forKey: holding) == nil ? nil : expected))
            default:
                let wants = topics.random.happens(percent: 50)
                index.setShard(elsewhere, wants: filter, wants)
                if wants { wantedElsewhere.insert(bytes) } else { wantedElsewhere.remove(bytes) }
            }
            #expect(index.subscriptionCount == wanted.count)
            let name = topics.name()
            let nameBytes = Array(name.utf8)
            var found: [Holding: QoS] = [:]
            var foundElsewhere = Set<[UInt8]>()
            index.forEachMatch(ByteBuffer(string: name)) { entry in
                let filter = Array(entry.filter.readableBytesView)
                for subscriber in entry.subscribers {
                    let holding = Holding(holder: Int(subscriber.session.epoch), filter: filter)
                    #expect(found.updateValue(subscriber.options.qos, forKey: holding) == nil)
                }
                if entry.shards.contains(elsewhere) { foundElsewhere.insert(filter) }
            }
            #expect(found == wanted.filter { naivelyMatches(nameBytes, $0.key.filter) }, "topic \(name)")
            #expect(foundElsewhere == wantedElsewhere.filter { naivelyMatches(nameBytes, $0) }, "topic \(name)")
        }
    }

    @Test(
        "The retained store finds what a search through all topics finds, while messages come and go",
        arguments: 1...10 as ClosedRange<UInt64>)
    func retainedAgainstSearch(seed: UInt64) {
        var topics = RandomTopics(random: SeededRandom(seed: seed))
        let store = RetainedStore()
        var kept: [[UInt8]: [UInt8]] = [:]
        for round in 0..<300 {
            let name = topics.name()
            let payload = topics.random.happens(percent: 60) ? Array("\(round)".utf8) : []
            #expect(store.update(Message(topic: name, payload: payload, qos: .atMostOnce, retain: true)))
            kept[Array(name.utf8)] = payload.isEmpty ? nil : payload
            let filter = topics.filter()
            var levels = 0
            let found = store.topics(matching: ByteBuffer(string: filter), counting: &levels).map { Array($0.readableBytesView) }
            let expected = kept.keys.filter { naivelyMatches($0, Array(filter.utf8)) }
            #expect(found.count == expected.count, "filter \(filter)")
            #expect(Set(found) == Set(expected), "filter \(filter)")
        }
        #expect(store.count == kept.count)
        let counted = kept.filter { $0.key.first != UInt8(ascii: "$") }  // the broker's own do not
        #expect(store.bytes == counted.reduce(0) { $0 + $1.key.count + $1.value.count })
        for (topic, payload) in kept {
            #expect(store.message(for: ByteBuffer(bytes: topic)).map { Array($0.payload.readableBytesView) } == payload)
        }
    }
}
