/// How many beginnings of wildcards one value could match at once: the service's measure of what a pattern costs.
///
/// When all stars have been passed, each of them stays matched by whatever follows, and the literals behind them may each be under
/// way, several times if they repeat themselves. The measure is the number of stars plus the most beginnings of literals in which one
/// text can end. Wildcards of one field count together where one value can be inside all of them; what those of one list in
/// `anything-but` have in common up to a star counts once.
enum WildcardComplexity {
    /// The service refuses what is above.
    static let limit = 10

    /// A literal, and the star that it stands behind.
    private struct Piece {
        let star: Int
        let literal: [UInt8]
    }

    /// The measure of the wildcards of one field; those in one `anything-but` make a list together, others each alone.
    static func measure(_ lists: [[Wildcard]]) -> Int {
        var most = 0
        for wildcard in lists.joined() where wildcard.literals.count > 1 {
            var stars = 0
            var pieces: [Piece] = []
            for list in lists {
                var starOfBeginning: [[[UInt8]]: Int] = [:]
                // One value can be inside a wildcard and inside another whose beginning it passes on its way.
                for other in list where other.literals.count > 1 && wildcard.literals[0].starts(with: other.literals[0]) {
                    for (index, literal) in other.literals.enumerated().dropFirst() {
                        let beginning = Array(other.literals[..<index])
                        if starOfBeginning[beginning] == nil {
                            starOfBeginning[beginning] = stars
                            stars += 1
                        }
                        pieces.append(Piece(star: starOfBeginning[beginning] ?? stars, literal: literal))
                    }
                    if stars > limit { return stars }
                }
            }
            most = max(most, stars + mostBeginnings(pieces))
        }
        return most
    }

    /// The most beginnings of literals, of one byte or more, that a text can end in.
    private static func mostBeginnings(_ pieces: [Piece]) -> Int {
        // A tree of the literals' bytes, and at each node the stars behind which a literal leads there.
        var children: [[UInt8: Int]] = [[:]]
        var stars: [Set<Int>] = [[]]
        for piece in pieces {
            var node = 0
            for byte in piece.literal {
                if let child = children[node][byte] {
                    node = child
                } else {
                    children.append([:])
                    stars.append([])
                    children[node][byte] = children.count - 1
                    node = children.count - 1
                }
                stars[node].insert(piece.star)
            }
        }
        // To each node, the longest other beginning in which the same bytes end; `ending` counts all of them.
        var failure = [Int](repeating: 0, count: children.count)
        var ending = stars.map(\.count)
        var queue = Array(children[0].values)
        var most = queue.reduce(0) { max($0, ending[$1]) }
        var next = 0
        while next < queue.count {
            let node = queue[next]
            next += 1
            for (byte, child) in children[node] {
                var state = failure[node]
                while state != 0, children[state][byte] == nil { state = failure[state] }
                failure[child] = children[state][byte] ?? 0
                ending[child] += ending[failure[child]]
                most = max(most, ending[child])
                queue.append(child)
            }
        }
        return most
    }
}
