import BrokerCore
import CremaTesting
import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import BrokerServer

/// `connectionsMax` on sockets: never more than that, and each place is free again, however its connection ends.
@Suite(.timeLimit(.minutes(2))) struct ConnectionPlacesTests {
    private static func limits(_ connectionsMax: Int, connectSecondsMax: Int = 120) -> BrokerLimits {
        var limits = BrokerLimits()
        limits.connectionsMax = connectionsMax
        limits.connectSecondsMax = connectSecondsMax
        return limits
    }

    private func isServed(port: Int, whileOpen body: () async throws -> Void = {}) async throws -> Bool {
        do {
            return try await RawClient.run(port: port) { client in
                try await client.send(Packets.connect("a"))
                let isServed = try await client.receive(Packets.connack)
                if isServed { try await body() }
                return isServed
            }
        } catch {
            return false  // reset before the first byte
        }
    }

    @Test("Threat 34: sockets that come while event loops are busy are let in up to the limit, and no further")
    func manyAtOnce() async throws {
        try await TestSite.run(limits: Self.limits(3)) { site in
            let port = try await site.start(TestSite.plain)
            // The kernel takes all of them before one is accepted: then they come in one turn of the listener's event loop.
            let (entered, free) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            let loops = Array(site.broker.eventLoopGroup.makeIterator())
            for loop in loops {
                loop.execute {
                    entered.signal()
                    free.wait()
                }
            }
            let connects = (0..<10).map { _ in
                ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: "127.0.0.1", port: port)
            }
            var channels: [any Channel] = []
            for connect in connects { channels.append(try await connect.get()) }
            defer { for channel in channels { channel.close(promise: nil) } }
            for _ in loops { free.signal() }
            var statistics = await site.broker.statistics()
            while statistics.connectionsAccepted + (statistics.connectionsTurnedAway["connections"] ?? 0) < 10 {
                try await Task.sleep(for: .milliseconds(10))
                statistics = await site.broker.statistics()
            }
            #expect(statistics.connectionsAccepted == 3)
            #expect(statistics.connectionsTurnedAway == ["connections": 7])
        }
    }

    enum Ending: CaseIterable {
        case closedBeforeAByte, reset, noTLS, brokenHandshake, silentInTLS, silent, noMQTT, noWebSocket, disconnected
    }

    /// Connects, and ends the connection or has it ended.
    private func end(_ ending: Ending, plain: Int, tls: Int, webSocket: Int) async throws {
        let port =
            switch ending {
            case .noTLS, .brokenHandshake, .silentInTLS: tls
            case .noWebSocket: webSocket
            default: plain
            }
        do {
            try await RawClient.run(port: port) { client in
                switch ending {
                case .closedBeforeAByte: return
                case .reset:
                    try await client.send(Packets.connect("a"))
                    return  // with the answer unread
                case .noTLS: try await client.send(Packets.connect("a"))
                case .brokenHandshake: try await client.send([22, 3, 1, 0, 5, 1, 0, 0, 1, 0])
                case .silentInTLS: try await client.send([22, 3, 1, 0, 5])
                case .silent: break
                case .noMQTT: try await client.send([0, 0])
                case .noWebSocket: try await client.send(Array("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8))
                case .disconnected: try await client.send(Packets.connect("a") + Packets.disconnect)
                }
                _ = try await client.receiveAll()
            }
        } catch {}  // reset before the first byte
    }

    @Test("Threat 34: the place of a connection is free again when it has ended, and once", arguments: Ending.allCases)
    func endings(ending: Ending) async throws {
        try await TestSite.run(limits: Self.limits(1, connectSecondsMax: 2)) { site in
            let plain = try await site.start(TestSite.plain)
            let tls = try await site.start(site.mutualTLS())
            let webSocket = try await site.start(TestSite.webSocket())
            for _ in 0..<2 {
                try await end(ending, plain: plain, tls: tls, webSocket: webSocket)
                var isOneServed = false
                while !isOneServed {
                    try Task.checkCancellation()  // else it goes on when the test's time is over
                    isOneServed = try await isServed(port: plain) {
                        let isAnotherServed = try await isServed(port: plain)
                        #expect(!isAnotherServed)
                    }
                }
                // That one has to be gone, too.
                while try await !isServed(port: plain) { try Task.checkCancellation() }
            }
        }
    }
}
