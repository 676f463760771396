/// Why a text is no regular expression that can be searched for.
enum RegularExpressionProblem: Error, Equatable {
    /// No regular expression to anyone: the functions answer Undefined.
    case invalid(String)
    /// One that Java understands and Crema refuses.
    case unsupported(String)

    var message: String {
        switch self {
        case .invalid(let what): "invalid regular expression: \(what)"
        case .unsupported(let what): "regular expression with \(what), which is not supported"
        }
    }
}

/// A regular expression of Java's syntax, without what only backtracking can find.
///
/// Searched for by walking all ways through the expression at once, so that the cost is the product of both lengths and never more; each
/// step is counted. Of all matches at the first place the one is found that a backtracking search would try first.
struct RegularExpression: Sendable {
    /// The longest program, in instructions; `a{1000}` takes a thousand.
    static let instructionsMax = 4_096
    /// The most instructions that reading may write on the way to the program, those that go into others counted again.
    static let instructionsWrittenMax = 4 * instructionsMax
    /// The deepest nesting of groups.
    static let depthMax = 32
    /// The most groups that can be referred to.
    static let groupsMax = 32

    /// The most characters and ranges in one class.
    static let classRangesMax = 128

    enum Assertion: Sendable { case textStart, lineStart, textEnd, lineEnd, veryEnd, wordBoundary, noWordBoundary }

    /// Distances count from the instruction itself, so that a piece can be repeated by copying it.
    enum Instruction: Sendable {
        case character(Unicode.Scalar)
        case set(CharacterSet)
        case assertion(Assertion)
        case jump(Int)
        /// Two ways on, the better one first.
        case split(Int, Int)
        case save(Int)
        case match
    }

    let instructions: [Instruction]
    /// Group 0, the whole match, among them.
    let groupCount: Int

    init(parsing text: ArraySlice<UInt8>) throws(RegularExpressionProblem) {
        var steps = Int.max
        try self.init(parsing: text, steps: &steps)
    }

    /// Reads an expression within a budget.
    ///
    /// - Parameters:
    ///   - text: the expression.
    ///   - steps: what reading may cost, counted down by the characters read and the instructions written; negative when it did not suffice,
    ///     which is for the caller to look at.
    /// - Throws: why it is no expression that can be searched for.
    init(parsing text: ArraySlice<UInt8>, steps: inout Int) throws(RegularExpressionProblem) {
        steps -= text.count
        guard steps >= 0 else { throw .unsupported("more characters than may be read") }
        var parser = RegularExpressionParser(String(decoding: text, as: UTF8.self))
        defer { steps -= parser.written }
        let body = try parser.expression()
        instructions = [.save(0)] + body + [.save(1), .match]
        groupCount = parser.groupCount
    }
}

/// Characters by ranges of code points.
struct CharacterSet: Sendable {
    private(set) var ranges: [ClosedRange<UInt32>] = []
    var isNegated = false

    mutating func insert(_ range: ClosedRange<UInt32>) { ranges.append(range) }
    mutating func insert(_ scalar: Unicode.Scalar) { ranges.append(scalar.value...scalar.value) }

    /// What is in the other set, which must not be negated and hold negated ones.
    mutating func formUnion(_ other: CharacterSet) {
        guard other.isNegated else { return ranges.append(contentsOf: other.ranges) }
        var next: UInt32 = 0
        for range in other.ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { ranges.append(next...range.lowerBound - 1) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10FFFF { ranges.append(next...0x10FFFF) }
    }

    /// Adds the other case of its letters of ASCII, as Java does without further flags.
    mutating func ignoreCase() {
        for range in ranges {
            for (letters, distance) in [(UInt32(0x41)...0x5A, UInt32(32)), (0x61...0x7A, UInt32.max - 31)] {
                let common = range.clamped(to: letters)
                if range.overlaps(letters) { ranges.append((common.lowerBound &+ distance)...(common.upperBound &+ distance)) }
            }
        }
    }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        ranges.contains { $0.contains(scalar.value) } != isNegated
    }

    static let digits = CharacterSet([0x30...0x39])
    static let word = CharacterSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    static let space = CharacterSet([0x09...0x0D, 0x20...0x20])
    static let lineEnds = CharacterSet([0x0A...0x0A, 0x0D...0x0D, 0x85...0x85, 0x2028...0x2029])
    static let all = CharacterSet([0...0x10FFFF])

    init(_ ranges: [ClosedRange<UInt32>] = [], isNegated: Bool = false) {
        self.ranges = ranges
        self.isNegated = isNegated
    }

    var inverted: CharacterSet { CharacterSet(ranges, isNegated: !isNegated) }
}
