import BrokerCore
import CremaTesting
import Foundation
import Logging
import Synchronization
import Testing
import Trust

@testable import BrokerServer

/// The same certificates decide on `wss` as on `mqtts` (threat 14).
@Suite(.timeLimit(.minutes(2))) struct SecureWebSocketTests {
    /// A client that opens the connection, connects, and says goodbye, though not in WebSocket's way: that the broker does not wait for.
    static let visit =
        WebSocketBytes.request() + WebSocketBytes.frame(WebSocketBytes.binary, Packets.connect("a") + Packets.disconnect)
    static let connackFrame: [UInt8] = [0x82, 4] + Packets.connack

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func theRightCertificateNamesThePrincipal(version: String) async throws {
        try await TestSite.run { site in
            try site.issue("barista")
            let port = try await site.start(site.secureWebSocket())
            let output = try await site.openSSL(port: port, certificate: "barista", [version, "-alpn", "http/1.1"], sending: Self.visit)
            #expect(output.holds(Array("HTTP/1.1 101 ".utf8)) && output.holds(Self.connackFrame))
            #expect(output.holds(Array("ALPN protocol: http/1.1".utf8)))
            let line = await site.log.next("client connected")
            #expect(line?.metadata["principal"] == "barista")
            #expect(line?.metadata["listener"] == "wss")
        }
    }

    @Test func theNameOfPlainMQTTIsNotAgreedOn() async throws {
        try await TestSite.run { site in
            try site.issue("barista")
            let port = try await site.start(site.secureWebSocket())
            let output = try await site.openSSL(port: port, certificate: "barista", ["-alpn", "x-amzn-mqtt-ca"], sending: Self.visit)
            #expect(output.holds(Array("No ALPN negotiated".utf8)))
        }
    }

    @Test("Threat 14: who proves nothing is refused over WebSocket, too", arguments: ["none", "otherAuthority", "expired"])
    func aClientThatProvesNothingIsRefused(fault: String) async throws {
        try await TestSite.run { site in
            switch fault {
            case "otherAuthority": try site.issue("mallory", by: CertificateAuthority.create(validity: TestSite.longValidity))
            case "expired":
                let validity = Validity(notBefore: TestSite.now - 100 * TestSite.day, notAfter: TestSite.now - TestSite.day)
                try site.issue("mallory", validity)
            default: break
            }
            let port = try await site.start(site.secureWebSocket())
            let output = try await site.openSSL(port: port, certificate: fault == "none" ? nil : "mallory", sending: Self.visit)
            #expect(!output.holds(Array("HTTP/1.1".utf8)))
            #expect(await site.log.next("TLS handshake failed")?.metadata["listener"] == "wss")
        }
    }

    @Test("Threat 14: a TLS session that is resumed is checked again", arguments: ["-tls1_2", "-tls1_3"])
    func aResumedSessionIsCheckedAgain(version: String) async throws {
        let time = Mutex(TestSite.now)
        let clock: @Sendable () -> Int64 = { time.withLock { $0 } }
        try await TestSite.run(time: clock) { site in
            try site.issue("barista", Validity(notBefore: TestSite.now - TestSite.day, notAfter: TestSite.now + TestSite.day))
            let port = try await site.start(site.secureWebSocket())
            let session = site.path("session")
            let first = try await site.openSSL(
                port: port, certificate: "barista", [version, "-sess_out", session], sending: Self.visit)
            #expect(first.holds(Self.connackFrame))
            let resumed = try await site.openSSL(port: port, certificate: "barista", [version, "-sess_in", session], sending: Self.visit)
            #expect(resumed.holds(Array("Reused, ".utf8)) && resumed.holds(Self.connackFrame))
            time.withLock { $0 += 2 * TestSite.day }
            let late = try await site.openSSL(port: port, certificate: "barista", [version, "-sess_in", session], sending: Self.visit)
            #expect(late.holds(Array("Reused, ".utf8)) && !late.holds(Array("HTTP/1.1".utf8)))
            let line = await site.log.next("TLS handshake failed")
            #expect(line?.metadata["reason"]?.contains("expired on") == true)
        }
    }

    @Test func aClientWithoutCertificateIsNobodyWhereItIsOptional() async throws {
        try await TestSite.run { site in
            let port = try await site.start(site.secureWebSocket(anonymous: true, required: false))
            #expect(try await site.openSSL(port: port, certificate: nil, sending: Self.visit).holds(Self.connackFrame))
            let line = await site.log.next("client connected")
            #expect(line != nil && line?.metadata["principal"] == nil)
        }
        try await TestSite.run { site in
            let port = try await site.start(site.secureWebSocket(anonymous: false, required: false))
            let output = try await site.openSSL(port: port, certificate: nil, sending: Self.visit)
            #expect(output.holds([0x82, 4, 0x20, 2, 0, 5]))
        }
    }

    @Test func plainHTTPOnTheTLSPortIsNamed() async throws {
        try await TestSite.run { site in
            let port = try await site.start(site.secureWebSocket())
            try await RawClient.run(port: port) { client in
                try await client.send(WebSocketBytes.request())
                _ = try await client.receiveAll()
            }
            #expect(await site.log.next("TLS handshake failed")?.metadata["reason"]?.contains("plain HTTP") == true)
        }
    }
}
