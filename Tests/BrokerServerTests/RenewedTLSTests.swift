import BrokerCore
import CremaTesting
import Foundation
import Testing
import Trust

@testable import BrokerServer

/// Revocation lists on TLS listeners, and certificates that change while clients are here.
@Suite(.timeLimit(.minutes(2))) struct RenewedTLSTests {
    @Test("Threat 14: a revoked certificate is refused on every transport, with reason and subject", arguments: [false, true])
    func revokedIsRefused(overWebSocket: Bool) async throws {
        try await TestSite.run { site in
            try site.issue("mallory")
            try site.revoke("mallory")
            let port = try await site.start(overWebSocket ? site.secureWebSocket(crl: "ca.crl") : site.mutualTLS(crl: "ca.crl"))
            let output = try await site.openSSL(port: port, certificate: "mallory")
            #expect(!output.holds(Packets.connack))
            let line = await site.log.next("TLS handshake failed")
            #expect(line?.metadata["reason"] == "the client's certificate is refused: it is revoked")
            #expect(line?.metadata["subject"] == "CN=mallory,O=Crema thing")
            #expect(line?.metadata["peer"]?.hasPrefix("127.0.0.1:") == true)
        }
    }

    @Test("Threat 14: a resumed session is refused when its certificate was revoked since", arguments: ["-tls1_2", "-tls1_3"])
    func resumedIsRefused(version: String) async throws {
        try await TestSite.run { site in
            try site.issue("mallory")
            try site.revoke()
            let listener = site.mutualTLS(crl: "ca.crl")
            let port = try await site.start(listener)
            let session = site.path("session")
            #expect(try await site.openSSL(port: port, certificate: "mallory", [version, "-sess_out", session]).holds(Packets.connack))
            try site.revoke("mallory")
            _ = await site.broker.take(try site.broker.renewedTLS(of: [listener]))
            let late = try await site.openSSL(port: port, certificate: "mallory", [version, "-sess_in", session])
            #expect(!late.holds(Packets.connack))
            #expect(await site.log.next("TLS handshake failed")?.metadata["reason"]?.contains("it is revoked") == true)
        }
    }

    @Test func aReloadClosesWhoIsRevokedAndNobodyElse() async throws {
        try await TestSite.run { site in
            for name in ["alice", "mallory"] { try site.issue(name) }
            try site.revoke()
            let listener = site.mutualTLS(crl: "ca.crl")
            let port = try await site.start(listener)
            async let lost = site.openSSL(port: port, certificate: "mallory", sending: Packets.connect("m"))
            async let kept = site.openSSL(port: port, certificate: "alice", sending: Packets.connect("a"))
            for _ in 0..<2 { #expect(await site.log.next("client connected") != nil) }
            #expect(await site.broker.take(try site.broker.renewedTLS(of: [listener])) == 0, "nothing has changed")
            try site.revoke("mallory")
            let renewed = try site.broker.renewedTLS(of: [listener])
            #expect(renewed.changes.count == 1)
            #expect(renewed.changes.first?.contains("1 revoked") == true)
            #expect(await site.broker.take(renewed) == 1)
            #expect(try await lost.holds(Packets.connack))
            let line = await site.log.next("connection closed")
            #expect(line?.metadata["client_id"] == "m")
            #expect(line?.metadata["reason"] == "not_permitted")
            #expect(line?.metadata["detail"] == "the client's certificate is refused: it is revoked (subject CN=mallory,O=Crema thing)")
            #expect(await site.broker.clients().filter(\.connected).map(\.clientID) == ["a"])
            await site.broker.drain(within: .seconds(2))
            _ = try await kept
        }
    }

    @Test func aReloadClosesWhoseAuthorityIsGoneAndTakesTheNewOnes() async throws {
        try await TestSite.run { site in
            try site.issue("alice")
            let listener = site.mutualTLS()
            let port = try await site.start(listener)
            async let lost = site.openSSL(port: port, certificate: "alice", sending: Packets.connect("a"))
            #expect(await site.log.next("client connected") != nil)
            let other = try CertificateAuthority.create(validity: TestSite.longValidity)
            try site.issue("bob", by: other)
            try site.write("ca", other.certificate)
            #expect(await site.broker.take(try site.broker.renewedTLS(of: [listener])) == 1)
            _ = try await lost
            #expect(await site.log.next("connection closed")?.metadata["detail"]?.contains("authority that is not trusted") == true)
            #expect(try await site.openSSL(port: port, certificate: "bob").holds(Packets.connack))
            #expect(try await !site.openSSL(port: port, certificate: "alice").holds(Packets.connack))
        }
    }

    @Test("Threat 12: files that cannot be used change nothing", arguments: ["ca.crt", "server.crt", "server.key", "ca.crl"])
    func brokenFilesChangeNothing(file: String) async throws {
        try await TestSite.run { site in
            try site.issue("alice")
            try site.issue("mallory")
            try site.revoke("mallory")
            let listener = site.mutualTLS(crl: "ca.crl")
            let port = try await site.start(listener)
            let place = URL(fileURLWithPath: site.path(file))
            let sound = try Data(contentsOf: place)
            try Data("damaged".utf8).write(to: place)
            #expect(throws: ListenerErrors.self) { try site.broker.renewedTLS(of: [listener]) }
            try sound.write(to: place)  // for the client, which reads one of them
            #expect(try await site.openSSL(port: port, certificate: "alice").holds(Packets.connack))
            #expect(try await !site.openSSL(port: port, certificate: "mallory").holds(Packets.connack))
        }
    }

    @Test func aListThatHasEndedKeepsNewClientsOutAndClosesNobody() async throws {
        try await TestSite.run { site in
            try site.issue("alice")
            try site.revoke()
            let listener = site.mutualTLS(crl: "ca.crl")
            let port = try await site.start(listener)
            async let kept = site.openSSL(port: port, certificate: "alice", sending: Packets.connect("a"))
            #expect(await site.log.next("client connected") != nil)
            try site.revoke(until: Validity(notBefore: TestSite.now - 10 * TestSite.day, notAfter: TestSite.now - TestSite.day))
            #expect(await site.broker.take(try site.broker.renewedTLS(of: [listener])) == 0)
            #expect(try await !site.openSSL(port: port, certificate: "alice").holds(Packets.connack))
            let line = await site.log.next("TLS handshake failed")
            #expect(line?.metadata["reason"]?.contains("was due to be renewed on") == true)
            #expect(await site.broker.clients().filter(\.connected).map(\.clientID) == ["a"])
            await site.broker.drain(within: .seconds(2))
            _ = try await kept
        }
    }
}
