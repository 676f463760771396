import Testing

@testable import Trust

/// Bytes that a stranger sends instead of a certificate.
///
/// Whatever they are, the answer is a certificate or a named error.
@Suite struct HostileCertificateTests {
    private static let seed: UInt64 = 0x5EED_C0FF_EE00_0001

    @Test func mutatedCertificatesNeverTrapAndAreNeverBelieved() throws {
        let authority = try Issuing.authority()
        let originals = [
            try Issuing.client("alice", of: authority).certificate.der,
            try Issuing.server(["localhost", "::1"], of: authority).certificate.der,
            authority.certificate.der,
        ]
        let verifier = try CertificateVerifier(authorities: [authority.certificate])
        var generator = SeededGenerator(seed: Self.seed)
        var parsed = 0
        for round in 0..<5_000 {
            let original = originals[round % originals.count]
            let mutant = Self.mutate(original, &generator)
            guard mutant != original else { continue }
            if let certificate = try? Certificate(der: mutant) {
                parsed += 1
                _ = try? Principal(from: certificate)
                _ = try? certificate.pem()
            }
            // As a leaf and as an intermediate beside a sound leaf.
            let believed = try? verifier.verify(leaf: mutant, intermediates: [authority.certificate.der])
            #expect(believed == nil, "seed \(Self.seed), round \(round): a changed certificate was believed")
            _ = try? verifier.verify(leaf: originals[0], intermediates: [mutant])
        }
        #expect(parsed > 200, "the mutations hardly ever reach the fields: \(parsed)")
    }

    @Test func randomBytesAreRefused() {
        var generator = SeededGenerator(seed: Self.seed)
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            #expect(throws: TrustError.self) { try Certificate(der: bytes) }
            #expect(throws: TrustError.self) { try Certificate.list(pem: bytes) }
            #expect(throws: TrustError.self) { try PrivateKey(pem: bytes) }
        }
    }

    @Test func bytesAfterACertificateAreRefused() throws {
        let der = try Issuing.authority().certificate.der
        #expect(throws: TrustError.malformedCertificate(source: "certificate", detail: "1 bytes follow the certificate")) {
            try Certificate(der: der + [0])
        }
    }

    @Test func everyTruncationIsRefused() throws {
        let der = try Issuing.client("alice", of: Issuing.authority()).certificate.der
        for length in 0..<der.count {
            #expect(throws: TrustError.self) { try Certificate(der: Array(der.prefix(length))) }
        }
    }

    @Test func anOversizedCertificateIsRefusedUnread() {
        let bytes = [UInt8](repeating: 0x30, count: 65_537)
        #expect(throws: TrustError.tooLarge(source: "certificate", bytes: 65_537, limit: 65_536)) { try Certificate(der: bytes) }
    }

    @Test func twoNameListsAreRefusedInsteadOfChosenFrom() throws {
        // The object identifier of the key identifier (2.5.29.14) becomes the one of the alternative names (2.5.29.17).
        var der = try Issuing.client("alice", of: Issuing.authority()).certificate.der
        let start = try #require(der.indices.first { der[$0...].starts(with: [0x55, 0x1D, 0x0E]) })
        der[start + 2] = 0x11
        #expect(throws: TrustError.malformedCertificate(source: "certificate", detail: "subjectAltName is there more than once")) {
            try Certificate(der: der)
        }
    }

    @Test func anUnreadableNameListIsRefusedInsteadOfPassedOver() throws {
        // The tag of the only alternative name becomes one that no name has; the common name must not take its place.
        let der = try Issuing.client("alice", of: Issuing.authority()).certificate.der
        let uri = Array("urn:crema:thing:alice".utf8)
        let start = try #require(der.indices.first { der[$0...].starts(with: uri) })
        var garbled = der
        garbled[start - 2] = 0x9F
        #expect(throws: TrustError.self) { try Certificate(der: garbled) }
    }

    private static func mutate(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var mutant = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let index = Int.random(in: 0..<mutant.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: mutant[index] = UInt8.random(in: .min ... .max, using: &generator)
            case 1: mutant[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: mutant.remove(at: index)
            case 3: mutant.insert(UInt8.random(in: .min ... .max, using: &generator), at: index)
            case 4: mutant[index] = [0x00, 0x7F, 0x80, 0x81, 0x84, 0xFF].randomElement(using: &generator) ?? 0
            default: mutant.removeLast(min(mutant.count - 1, Int.random(in: 0...8, using: &generator)))
            }
        }
        return mutant
    }
}
