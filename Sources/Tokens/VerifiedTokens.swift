/// Tokens that were verified with the keys in force, so that a token that comes again costs a look-up.
///
/// Known by their SHA-256; whether a token has expired is asked each time. At the bound the oldest makes room.
struct VerifiedTokens {
    private let countMax: Int
    private var tokens: [[UInt8]: VerifiedToken] = [:]
    /// In the order in which they came, as a ring.
    private var order: [[UInt8]] = []
    private var next = 0
    /// Of the keys that verified them.
    private var generation: UInt64 = 0

    init(countMax: Int) { self.countMax = max(1, countMax) }

    var count: Int { tokens.count }

    mutating func token(_ digest: [UInt8], generation current: UInt64) -> VerifiedToken? {
        if generation != current {
            (tokens, order, next, generation) = ([:], [], 0, current)
        }
        return tokens[digest]
    }

    /// Keeps one, unless other keys have come since it was verified.
    mutating func keep(_ token: VerifiedToken, as digest: [UInt8], generation verifiedBy: UInt64) {
        guard verifiedBy == generation, tokens.updateValue(token, forKey: digest) == nil else { return }
        if order.count < countMax {
            order.append(digest)
        } else {
            tokens[order[next]] = nil
            order[next] = digest
            next = (next + 1) % countMax
        }
    }
}
