import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// Many connections that want to be the same client, on all event loops at once.
@Suite struct HostileTakeoverTests {
    @Test(
        "Threat 31: however connections of one client race on several loops, one is left, with one session, and nothing of the others",
        arguments: 0..<300 as Range<UInt64>)
    func race(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let shards = Int.random(in: 1...4, using: &random)
        let broker = SimulatedBroker(shards: shards)
        let watcher = try broker.client("watcher")
        _ = try watcher.subscribe("gone", .atLeastOnce)
        var clients: [SimulatedClient] = []
        var packetID: UInt16 = 0
        for _ in 0..<60 {
            packetID += 1
            switch Int.random(in: 0..<10, using: &random) {
            case 0...3:
                let client = SimulatedClient("same", of: broker)
                client.open(at: Int.random(in: 0..<shards, using: &random))
                let isClean = random.happens(percent: 50)
                client.send(.connect(Connect(clientID: "same", cleanStart: isClean, keepAlive: 0, will: will("gone", "\(clients.count)"))))
                clients.append(client)
            case 4: clients.randomElement(using: &random)?.send(message("t", "x", qos: .exactlyOnce, packetID: packetID))
            case 5:
                let filter = random.happens(percent: 50) ? "t" : "$share/g/t"
                let request = Subscribe.Request(filter: filter, qos: .atLeastOnce)
                clients.randomElement(using: &random)?.send(.subscribe(Subscribe(packetID: packetID, requests: [request])))
            case 6: clients.randomElement(using: &random)?.send(.unsubscribe(Unsubscribe(packetID: packetID, filters: ["t"])))
            case 7: clients.randomElement(using: &random)?.lose()
            case 8: broker.endTurn(of: Int.random(in: 0..<shards, using: &random))
            default: _ = broker.deliverHandOff(to: Int.random(in: 0..<shards, using: &random))
            }
        }
        // Whoever has the last word keeps it.
        let last = SimulatedClient("same", of: broker)
        last.open(at: Int.random(in: 0..<shards, using: &random))
        last.send(.connect(Connect(clientID: "same", cleanStart: random.happens(percent: 50), keepAlive: 0)))
        broker.settle()
        #expect(last.isConnected)
        #expect(clients.allSatisfy { !$0.isConnected })
        let sessions = broker.nodes.flatMap { $0.core.sessions.all.filter { $0.clientID == "same" } }
        #expect(sessions.count == 1)
        #expect(sessions.first?.connection != nil)
        // No half of a connection is left between the loops, and nothing of the sessions that ended in the index.
        for node in broker.nodes {
            #expect(node.core.adopted.count + node.core.relays.count <= 1)
            let known = node.core.sessions.all.map(\.subscriptions.count).reduce(0, +)
            #expect(node.core.index.subscriptionCount == known)
        }
        let connected = broker.nodes.map(\.core.counters.clientsConnected)
        #expect(connected.reduce(0, +) == 2)
        // It is the one that gets what it subscribes to.
        _ = try last.exchange(.subscribe(Subscribe(packetID: 999, requests: [Subscribe.Request(filter: "own", qos: .atLeastOnce)])))
        _ = try broker.client("p").exchange(message("own", "y", qos: .atLeastOnce, packetID: 1))
        broker.settle()
        #expect(try last.read().messages.last == "own=y")
        // Each will of those that were closed came at most once.
        let wills = try watcher.read().messages
        #expect(Set(wills).count == wills.count)
        last.send(.disconnect(Disconnect()))
        broker.settle()
    }
}
