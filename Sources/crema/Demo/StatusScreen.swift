import Foundation
import Synchronization

/// One screen of the shop: a subscription to one topic, and the statuses of one order that it is to show, in order.
struct StatusScreen: Sendable {
    let name: String
    let topic: String
    let orderID: String
    let expected: [String]
    /// How many of the expected statuses came.
    private(set) var shown = 0

    var clientID: String { "demo-\(name)" }

    /// Takes one message, and answers with its status.
    ///
    /// - Throws: when it is not the next status of this order.
    mutating func show(_ payload: String) throws(DemoFailure) -> String {
        guard let status = Status(payload) else { throw DemoFailure("the \(name)'s screen got what is no status: \(payload)") }
        guard status.orderID == orderID, shown < expected.count, expected[shown] == status.type else {
            let next = shown < expected.count ? expected[shown] : "nothing more"
            throw DemoFailure("the \(name)'s screen got \(status.type) of order \(status.orderID) instead of \(next)")
        }
        shown += 1
        return status.type
    }
}

/// What the shop's rules make of an event: its type, and its detail.
private struct Status {
    var type: String
    var orderID: String

    init?(_ payload: String) {
        guard
            let object = try? JSONSerialization.jsonObject(with: Data(payload.utf8)) as? [String: Any],
            let type = object["type"] as? String, let detail = object["detail"] as? [String: Any],
            let orderID = detail["orderId"] as? String
        else { return nil }
        self.type = type
        self.orderID = orderID
    }
}

/// The clients with a subscription, read from the admin listener's answer.
struct SubscribedClients {
    let names: Set<String>

    init(_ answer: String) {
        let object = try? JSONSerialization.jsonObject(with: Data(answer.utf8))
        let clients = (object as? [String: Any])?["rows"] as? [[String: Any]] ?? []
        let subscribed = clients.filter { ($0["subscriptions"] as? NSNumber)?.intValue ?? 0 > 0 }
        names = Set(subscribed.compactMap { $0["clientID"] as? String })
    }
}

/// The last lines that a program printed, and whether it has ended.
final class RecentLines: Sendable {
    private let limit: Int
    private let kept = Mutex<(lines: [String], ended: Bool)>(([], false))

    init(limit: Int) { self.limit = limit }

    var lines: [String] { kept.withLock { $0.lines } }

    var hasEnded: Bool { kept.withLock { $0.ended } }

    func append(_ line: String) {
        kept.withLock {
            $0.lines.append(line)
            if $0.lines.count > limit { $0.lines.removeFirst() }
        }
    }

    func end() { kept.withLock { $0.ended = true } }
}
