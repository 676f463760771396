import BrokerCore
import MQTTCodec
import Measurement
import NIOCore

/// Finding the subscribers of a topic among 1 k, 100 k and 1 M subscriptions: exact filters, and two sets heavy in wildcards.
///
/// Each operation is one match of one topic in the index itself: the broker does it once per topic and change of subscriptions, and
/// then reuses the route.
@main enum RoutingBench {
    private static let topicsPerBatch = 256

    static func main() {
        var cases: [BenchmarkCase] = []
        for (label, count) in [("1k", 1_000), ("100k", 100_000), ("1M", 1_000_000)] {
            cases.append(test("exact-\(label)", count: count) { "shop/\($0 % 100)/user/\($0)/status" })
            // One `+` each, so that every topic is wanted by the filter of its own user.
            cases.append(test("plus-\(label)", count: count) { "shop/+/user/\($0)/status" })
            // Half of them hang below the same levels, half end in `#`.
            cases.append(
                test("mixed-\(label)", count: count) { $0 % 2 == 0 ? "shop/\($0 % 100)/user/\($0)/#" : "shop/\($0 % 100)/+/\($0)/status" })
        }
        BenchmarkCommand.run(cases)
    }

    private static func test(_ name: String, count: Int, filter: @escaping (Int) -> String) -> BenchmarkCase {
        // The index is built when the case first runs, so that a choice of cases does not wait for the others.
        var built: IndexOnLoan?
        let topics = (0..<topicsPerBatch).map { number in
            let user = number * (count / topicsPerBatch)
            return ByteBuffer(string: "shop/\(user % 100)/user/\(user)/status")
        }
        return BenchmarkCase(name: name, operations: topicsPerBatch) {
            let loan = built ?? IndexOnLoan(count: count, filter: filter)
            built = loan
            var found = 0
            for topic in topics { loan.index.forEachMatch(topic) { found += $0.subscribers.count } }
            precondition(found >= topicsPerBatch, "\(name): \(found) subscribers for \(topicsPerBatch) topics")
            return found
        }
    }
}

/// An index with one subscription per session.
private final class IndexOnLoan {
    var index = TopicIndex()

    init(count: Int, filter: (Int) -> String) {
        for number in 0..<count {
            let session = Session(clientID: "c\(number)", principal: nil, epoch: 1, isClean: true)
            _ = index.subscribe(session, to: filter(number), qos: .atMostOnce)
        }
    }
}
