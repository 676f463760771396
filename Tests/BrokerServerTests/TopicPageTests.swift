import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Synchronization
import Testing

@testable import BrokerServer

/// Lists of topics are made a page at a time, whatever there is and whatever of it the caller may see.
@Suite struct TopicPageTests {
    private func page(_ names: [String], from first: String, limit: Int, parts: Int, where isWanted: (String) -> Bool) -> TopicPage {
        var page = TopicPage(from: ByteBuffer(string: first), limit: limit)
        var most = 0
        for start in stride(from: 0, to: names.count, by: parts) {
            page.add(names[start..<min(start + parts, names.count)].map { ByteBuffer(string: $0) }, where: isWanted)
            most = max(most, page.topics.count)
        }
        #expect(most <= 2 * (limit + 1))
        return page
    }

    @Test("A page has what comes next in order, of what is wanted, in whatever order the parts come", arguments: [1, 3, 7, 1_000])
    func pages(limit: Int) {
        var random = SeededRandom(seed: UInt64(limit))
        for count in [0, 1, limit, limit + 1, 500] {
            let names = (0..<count).map { "t/\($0)" }.shuffled(using: &random)
            let wanted = names.filter { !$0.hasSuffix("3") }.sorted()
            var (first, listed, pages) = ("", [String](), 0)
            while true {
                let (topics, next) = page(names, from: first, limit: limit, parts: 17) { !$0.hasSuffix("3") }.finished()
                listed += topics.map { String(buffer: $0) }
                pages += 1
                guard let next else { break }
                #expect(topics.count == limit)
                first = String(buffer: next)
            }
            #expect(listed == wanted)
            #expect(pages == max(1, (wanted.count + limit - 1) / limit))
        }
    }

    @Test("A caller who is denied everything costs one look at each topic, and holds nobody up meanwhile")
    func nothingIsWanted() async throws {
        try await TestSite.run { site in
            let count = 5_000
            let messages = (0..<count).map { Message(topic: "r/\($0)", payload: "on".utf8, qos: .atMostOnce, retain: true) }
            await site.broker.publish(messages)
            let looks = Mutex(0)
            let found = await site.broker.retainedMessages(from: "", limit: 200) { _ in
                looks.withLock { $0 += 1 }
                return false
            }
            #expect(found.rows.isEmpty && found.next == nil)
            #expect(looks.withLock { $0 } == count)
        }
    }
}
