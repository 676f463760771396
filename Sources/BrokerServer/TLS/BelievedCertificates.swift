import Synchronization
import Trust

/// Client certificates that were found to be believed, so that a client that comes back is not verified anew.
///
/// A verification costs about as much as the rest of a handshake, and a thousand clients that come back after a broken link bring
/// certificates that were verified a moment ago. What is kept of a chain is a hash of its bytes, and until when the answer holds: the
/// earliest end of its certificates, of the authorities and of the revocation lists. New files make a new ``TLSEndpoint``, which knows of nobody.
final class BelievedCertificates: Sendable {
    /// Chains that are kept; one more, and all are forgotten.
    static let chainsMax = 16_384

    private struct Belief {
        let principal: Principal
        /// Seconds since 1970, from when until when it holds.
        let since: Int64
        let until: Int64
    }

    /// How many are known.
    var count: Int { beliefs.withLock { $0.count } }

    /// Until when the authorities and lists themselves hold.
    private let until: Int64
    private let beliefs = Mutex<[[UInt8]: Belief]>([:])

    init(authorities: [Certificate], revocations: [RevocationList]) {
        until = min(authorities.map(\.notAfter).min() ?? .max, revocations.compactMap(\.nextUpdate).min() ?? .max)
    }

    /// Who a chain was found to prove, if that holds at `time`.
    func principal(of chain: [[UInt8]], isResumed: Bool, at time: Int64) -> Principal? {
        guard let key = Self.key(chain, isResumed) else { return nil }
        guard let belief = beliefs.withLock({ $0[key] }), belief.since <= time, time < belief.until else { return nil }
        return belief.principal
    }

    /// A chain was verified at `time`.
    ///
    /// `certificates` are those that the answer depends on: the client's own, and what its chain may have been built with.
    func note(_ principal: Principal, of chain: [[UInt8]], isResumed: Bool, dependingOn certificates: [Certificate], at time: Int64) {
        guard let key = Self.key(chain, isResumed) else { return }
        let end = certificates.reduce(until) { min($0, $1.notAfter) }
        beliefs.withLock { known in
            if known.count >= Self.chainsMax { known.removeAll() }
            known[key] = Belief(principal: principal, since: time, until: end)
        }
    }

    /// A resumed session shows the client's own certificate only, whose chain is built with those of others: that is another question.
    private static func key(_ chain: [[UInt8]], _ isResumed: Bool) -> [UInt8]? {
        var bytes: [UInt8] = [isResumed ? 1 : 0]
        for certificate in chain {
            bytes += Array("\(certificate.count) ".utf8) + certificate  // so that no two chains have the same bytes
        }
        return Digest.hash(bytes, algorithm: "SHA256")
    }
}
