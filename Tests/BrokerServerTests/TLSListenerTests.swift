import BrokerCore
import CremaTesting
import Foundation
import Logging
import Synchronization
import Testing
import Trust

@testable import BrokerServer

@Suite(.timeLimit(.minutes(2))) struct TLSListenerTests {
    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func theRightCertificateIsTakenAndNamesThePrincipal(version: String) async throws {
        try await TestSite.run { site in
            try site.issue("barista")
            let port = try await site.start(site.mutualTLS())
            let output = try await site.openSSL(port: port, certificate: "barista", [version, "-alpn", "x-amzn-mqtt-ca"])
            #expect(output.holds(Packets.connack))
            #expect(output.holds(Array("ALPN protocol: x-amzn-mqtt-ca".utf8)))
            let line = await site.log.next("client connected")
            #expect(line?.metadata["principal"] == "barista")
            #expect(line?.metadata["listener"] == "mqtts")
        }
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func noCertificateIsRefusedWithTheReason(version: String) async throws {
        try await TestSite.run { site in
            let port = try await site.start(site.mutualTLS())
            let output = try await site.openSSL(port: port, certificate: nil, [version])
            #expect(!output.holds(Packets.connack))
            let line = await site.log.next("TLS handshake failed")
            #expect(line?.metadata["reason"] == HandshakeFailure.noCertificate)
            #expect(line?.metadata["peer"]?.hasPrefix("127.0.0.1:") == true)
        }
    }

    enum Fault: String, CaseIterable { case otherAuthority, expired, forServers, notYetValid }

    @Test("Threat 14: a certificate that is not believed is refused over TLS", arguments: Fault.allCases)
    func aCertificateThatIsNotBelievedIsRefusedWithReasonAndSubject(fault: Fault) async throws {
        try await TestSite.run { site in
            let now = TestSite.now
            let expected: String
            switch fault {
            case .otherAuthority:
                try site.issue("mallory", by: CertificateAuthority.create(validity: TestSite.longValidity))
                expected = "authority that is not trusted"
            case .expired:
                try site.issue("mallory", Validity(notBefore: now - 100 * TestSite.day, notAfter: now - TestSite.day))
                expected = "expired on"
            case .forServers:
                let names = [try AlternativeName(parsing: "mallory")]
                try site.write("mallory", site.authority.issueServer(names: names, validity: TestSite.longValidity))
                expected = "does not allow this purpose"
            case .notYetValid:
                try site.issue("mallory", Validity(notBefore: now + 10 * TestSite.day, notAfter: now + 20 * TestSite.day))
                expected = "not valid before"
            }
            let port = try await site.start(site.mutualTLS())
            let output = try await site.openSSL(port: port, certificate: "mallory")
            #expect(!output.holds(Packets.connack))
            let line = await site.log.next("TLS handshake failed")
            #expect(line?.metadata["reason"]?.contains(expected) == true, "\(line?.metadata ?? [:])")
            #expect(line?.metadata["subject"]?.contains("mallory") == true, "\(line?.metadata ?? [:])")
        }
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func aResumedSessionIsCheckedAgain(version: String) async throws {
        let time = Mutex(TestSite.now)
        let clock: @Sendable () -> Int64 = { time.withLock { $0 } }
        try await TestSite.run(time: clock) { site in
            try site.issue("barista", Validity(notBefore: TestSite.now - TestSite.day, notAfter: TestSite.now + TestSite.day))
            let port = try await site.start(site.mutualTLS())
            let session = site.path("session")
            let first = try await site.openSSL(port: port, certificate: "barista", [version, "-sess_out", session])
            #expect(first.holds(Packets.connack))
            #expect(await site.log.next("client connected")?.metadata["principal"] == "barista")

            let resumed = try await site.openSSL(port: port, certificate: "barista", [version, "-sess_in", session])
            #expect(resumed.holds(Array("Reused, ".utf8)))
            #expect(resumed.holds(Packets.connack))
            #expect(await site.log.next("client connected")?.metadata["principal"] == "barista")

            time.withLock { $0 += 2 * TestSite.day }
            let late = try await site.openSSL(port: port, certificate: "barista", [version, "-sess_in", session])
            #expect(late.holds(Array("Reused, ".utf8)), "the TLS library itself does not look at the certificate again")
            #expect(!late.holds(Packets.connack))
            let line = await site.log.next("TLS handshake failed")
            #expect(line?.metadata["reason"]?.contains("expired on") == true)
            #expect(line?.metadata["subject"]?.contains("barista") == true)
        }
    }

    @Test func aClientWithoutCertificateIsTakenWhereItIsOptionalAndAnonymousAllowed() async throws {
        try await TestSite.run { site in
            let port = try await site.start(site.mutualTLS(anonymous: true, required: false))
            #expect(try await site.openSSL(port: port, certificate: nil).holds(Packets.connack))
            let line = await site.log.next("client connected")
            #expect(line != nil)
            #expect(line?.metadata["principal"] == nil)
        }
    }

    @Test func aClientWithoutCertificateIsRefusedByMQTTWhereItIsOptionalAndAnonymousNotAllowed() async throws {
        try await TestSite.run { site in
            let port = try await site.start(site.mutualTLS(anonymous: false, required: false))
            #expect(try await site.openSSL(port: port, certificate: nil).holds([0x20, 2, 0, 5]))
            #expect(await site.log.next("client refused")?.metadata["reason_code"] == "not authorized")
        }
    }

    @Test("Threat 14: versions before TLS 1.2 are refused", arguments: ["-tls1_1", "-tls1"])
    func oldVersionsAreRefused(version: String) async throws {
        try await TestSite.run { site in
            try site.issue("barista")
            let port = try await site.start(site.mutualTLS())
            let more = [version, "-cipher", "ALL:@SECLEVEL=0"]
            #expect(try await !site.openSSL(port: port, certificate: "barista", more).holds(Packets.connack))
            let line = await site.log.next("TLS handshake failed")
            #expect(line?.metadata["reason"] == "the client offers no TLS version from 1.2 on")
        }
    }

    @Test func aCipherSuiteWithoutForwardSecrecyIsRefused() async throws {
        try await TestSite.run { site in
            try site.issue("barista")
            let port = try await site.start(site.mutualTLS())
            let more = ["-tls1_2", "-cipher", "AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA256"]
            #expect(try await !site.openSSL(port: port, certificate: "barista", more).holds(Packets.connack))
            let line = await site.log.next("TLS handshake failed")
            #expect(line?.metadata["reason"]?.contains("no cipher suite") == true, "\(line?.metadata ?? [:])")
        }
    }

    @Test func aClientThatDoesNotTrustTheServerIsNamed() async throws {
        try await TestSite.run { site in
            try site.issue("barista")
            try site.write("other", CertificateAuthority.create(validity: TestSite.longValidity).certificate)
            let port = try await site.start(site.mutualTLS())
            let more = ["-tls1_2", "-CAfile", site.path("other.crt"), "-verify_return_error"]
            _ = try await site.openSSL(port: port, certificate: "barista", more)
            let line = await site.log.next("TLS handshake failed")
            #expect(line?.metadata["reason"]?.contains("does not trust the server's certificate") == true, "\(line?.metadata ?? [:])")
        }
    }

    @Test(arguments: [
        (Packets.connect("a"), "the peer speaks plain MQTT on a TLS listener"),
        (Array("GET / HTTP/1.1\r\n\r\n".utf8), "the peer speaks plain HTTP on a TLS listener"),
    ])
    func plainBytesOnATLSPortAreNamed(bytes: [UInt8], reason: String) async throws {
        try await TestSite.run { site in
            let port = try await site.start(site.mutualTLS())
            try await RawClient.run(port: port) { client in
                try await client.send(bytes)
                _ = try await client.receiveAll()
            }
            #expect(await site.log.next("TLS handshake failed")?.metadata["reason"] == reason)
        }
    }

    @Test func aTLSHandshakeOnAPlainPortIsNamed() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.plain)
            _ = try await site.openSSL(port: port, certificate: nil)
            let line = await site.log.next("connection closed")
            #expect(line?.metadata["detail"]?.contains("TLS handshake") == true)
            #expect(line?.level == .warning)
        }
    }

    @Test func aHandshakeThatIsNotFinishedInTimeEnds() async throws {
        var limits = BrokerLimits()
        limits.connectSecondsMax = 1
        try await TestSite.run(limits: limits) { site in
            let port = try await site.start(site.mutualTLS())
            try await RawClient.run(port: port) { client in
                // On a busy machine the time is over before this is sent.
                try? await client.send([0x16, 3, 1])
                let answer = try await client.receiveAll()
                #expect(answer.isEmpty)
            }
            #expect(await site.log.next("TLS handshake failed")?.metadata["reason"] == HandshakeFailure.timedOut)
        }
    }

    @Test func drainEndsAHandshakeThatIsUnderWay() async throws {
        try await TestSite.run { site in
            let port = try await site.start(site.mutualTLS())
            try await RawClient.run(port: port) { client in
                try await client.send([0x16, 3, 1])
                async let drained: Void = site.broker.drain(within: .seconds(60))
                _ = try await client.receiveAll()
                await drained
            }
        }
    }
}
