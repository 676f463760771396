import BrokerCore
import CremaTesting
import NIOCore
import NIOPosix
import Testing

@testable import BrokerServer

/// The rates of ``Admission`` on sockets: with loopback as the one address there is.
@Suite(.timeLimit(.minutes(2))) struct AdmissionGateTests {
    private static let limited = {
        var listener = TestSite.plain
        listener.terms.limitLoopback = true
        return listener
    }()

    private func isServed(port: Int) async throws -> Bool {
        do {
            return try await RawClient.run(port: port) { client in
                try await client.send(Packets.connect("a"))
                return try await client.receive(Packets.connack)
            }
        } catch {
            return false  // reset before the first byte
        }
    }

    @Test("What comes faster than one address may is closed at accept, counted, and told once")
    func addressRate() async throws {
        var limits = TestSite.patient
        limits.connectBurstPerAddressMax = 3
        limits.connectsPerSecondPerAddressMax = 1
        try await TestSite.run(limits: limits) { site in
            let port = try await site.start(Self.limited)
            let free = try await site.start(TestSite.plain)
            // All at once: one that came seconds later would find the rate met again.
            let group = MultiThreadedEventLoopGroup.singleton
            let connects = (0..<20).map { _ in ClientBootstrap(group: group).connect(host: "127.0.0.1", port: port) }
            var channels: [any Channel] = []
            for connect in connects { channels += [try? await connect.get()].compactMap(\.self) }
            defer { for channel in channels { channel.close(promise: nil) } }
            var statistics = await site.broker.statistics()
            while statistics.connectionsAccepted + (statistics.connectionsTurnedAway["address_rate"] ?? 0) < 20 {
                try await Task.sleep(for: .milliseconds(10))
                statistics = await site.broker.statistics()
            }
            #expect((3...19).contains(statistics.connectionsAccepted))  // one more for each second that this takes
            #expect(statistics.connectionsTurnedAway == ["address_rate": 20 - statistics.connectionsAccepted])
            #expect(await site.log.next("connection turned away")?.metadata["reason"] == "address_rate")
            for _ in 0..<10 { #expect(try await isServed(port: free)) }
        }
    }

    @Test("An address that failed too often is turned away on every listener that limits it")
    func block() async throws {
        var limits = TestSite.patient
        limits.failedAuthenticationsMax = 2
        limits.failedAuthenticationDelayMilliseconds = 1
        try await TestSite.run(limits: limits) { site in
            var closed = Self.limited
            closed.anonymous = false
            let port = try await site.start(closed)
            for _ in 0..<2 {
                try await RawClient.run(port: port) { client in
                    try await client.send(Packets.connect("a"))
                    #expect(try await client.receiveAll() == [0x20, 2, 0, 5])
                }
            }
            let open = try await site.start(Self.limited)
            #expect(try await !isServed(port: open))
            let statistics = await site.broker.statistics()
            #expect(statistics.authenticationsFailed == 2)
            #expect(statistics.connectionsTurnedAway == ["address_blocked": 1])
        }
    }

    @Test("A broker that drains names the other server to clients of MQTT 5, with 0x9C [MQTT5-4.13.1-1]")
    func serverReference() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.plain)
            try await RawClient.run(port: port) { client in
                let connect: [UInt8] = [0x10, 14, 0, 4, 0x4D, 0x51, 0x54, 0x54, 5, 2, 0, 60, 0, 0, 1, 0x61]
                try await client.send(connect)
                while client.received.first != 0x20 { #expect(try await !client.receiveMore().isEmpty) }
                async let drained: Void = site.broker.drain(within: .seconds(10), serverReference: "other:1884")
                let all = try await client.receiveAll()
                let name = Array("other:1884".utf8)
                #expect(Array(all.suffix(17)) == [0xE0, 15, 0x9C, 13, 0x1C, 0, 10] + name)
                await drained
            }
        }
    }
}
