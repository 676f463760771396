import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// Routes are kept for the next message on their topics, and bounded by what they hold.
@Suite struct RouteTableTests {
    @Test("Routes are forgotten together when their recipients are too many, and every message still reaches everybody")
    func recipientsAreBounded() throws {
        var limits = BrokerLimits()
        limits.routeRecipientsMax = 12
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let readers = try (0..<3).map { try broker.client("r\($0)") }
        for reader in readers { _ = try reader.subscribe("#") }
        let publishers = try (0..<10).map { try broker.client("p\($0)") }
        for round in 0..<2 {
            for (number, publisher) in publishers.enumerated() {
                _ = try publisher.exchange(message("t/\(number)", "\(round)"))
                #expect(broker.nodes[0].core.routeRecipients <= 12)
            }
            for reader in readers { #expect(try reader.read().messages == (0..<10).map { "t/\($0)=\(round)" }) }
        }
        // Publishers keep no more than the table does.
        let held = broker.nodes[0].core.connections.compactMap { $0?.lastRoute?.recipients.count }
        #expect(held.count == 10 && held.reduce(0, +) <= 9)
    }

    @Test("A route of more recipients than that is kept alone")
    func largeRoute() throws {
        var limits = BrokerLimits()
        limits.routeRecipientsMax = 2
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let readers = try (0..<3).map { try broker.client("r\($0)") }
        for reader in readers { _ = try reader.subscribe("t/+") }
        let publisher = try broker.client("p")
        for topic in ["other", "t/1", "t/1", "t/2"] { publisher.send(message(topic, "x")) }
        broker.settle()
        for reader in readers { #expect(try reader.read().messages == ["t/1=x", "t/1=x", "t/2=x"]) }
        #expect(broker.nodes[0].core.routeRecipients == 4)
    }
}
