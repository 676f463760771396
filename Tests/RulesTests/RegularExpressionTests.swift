import Foundation
import Testing

@testable import Rules

@Suite struct RegularExpressionTests {
    /// The first match and its groups; `nil` for none, and for a group that took no part.
    private func match(_ pattern: String, _ subject: String) throws -> [String?]? {
        let scalars = Array(subject.unicodeScalars)
        let expression = try RegularExpression(parsing: ArraySlice(pattern.utf8))
        var steps = 1_000_000
        let found = expression.firstMatch(in: scalars, from: 0, wantsGroups: true, steps: &steps)
        #expect(steps > 0)
        return found.map { slots in
            stride(from: 0, to: slots.count, by: 2).map { index in
                guard slots[index] >= 0, slots[index + 1] >= 0 else { return nil }
                var view = String.UnicodeScalarView()
                view.append(contentsOf: scalars[slots[index]..<slots[index + 1]])
                return String(view)
            }
        }
    }

    @Test(
        arguments: [
            ("a", "xay", ["a"]), ("a|b", "b", ["b"]), ("ab*", "abbb", ["abbb"]), ("ab*?", "abbb", ["a"]), ("a+?b", "aab", ["aab"]),
            ("(a)(b)?", "a", ["a", "a", nil]), ("(a|b)*", "abx", ["ab", "b"]), ("(?:a|b)+", "ba", ["ba"]),
            ("(?<year>[0-9]{4})", "in 2026", ["2026", "2026"]),
            ("a{2}", "aaa", ["aa"]), ("a{2,}", "aaaa", ["aaaa"]), ("a{1,2}?", "aaa", ["a"]), ("a{0}b", "ab", ["b"]),
            ("[^a-c]+", "abcxyz", ["xyz"]),
            ("[]a]+", "]a]", ["]a]"]), ("[a\\-z]+", "a-z", ["a-z"]), ("[a-]+", "-a", ["-a"]), ("\\d+", "a42", ["42"]),
            ("\\w+", "-x_1-", ["x_1"]),
            ("\\s", "a\tb", ["\t"]), ("[\\D]", "1a", ["a"]), ("\\bcat\\b", "a cat.", ["cat"]), ("\\Bat", "cat", ["at"]),
            ("^a$", "a\n", ["a"]),
            ("a\\z", "a", ["a"]), ("(?i)HeLLo", "hEllO", ["hEllO"]), ("(?s)a.b", "a\nb", ["a\nb"]), ("(?m)^b$", "a\nb\nc", ["b"]),
            ("\\x41\\u00e9", "Aé", ["Aé"]),
            ("\\.", "a.b", ["."]), (".", "é", ["é"]), ("(|a)*", "aaa", ["", ""]), ("(a*)*", "aa", ["aa", "aa"]),
            ("(a*)+b", "aab", ["aab", "aa"]), ("", "x", [""]),
            ("x*", "aaa", [""]), ("a|ab|abc", "abc", ["a"]), ("(a+)(a*)", "aaa", ["aaa", "aaa", ""]), ("^|b", "ab", [""]),
            ("[&]", "&", ["&"]),
        ] as [(String, String, [String?])])
    func theMatchIsTheOneThatIsTriedFirst(pattern: String, subject: String, expected: [String?]) throws {
        let found = try match(pattern, subject)
        // `(a*)*` may leave its group at the last empty turn or before it.
        if pattern == "(a*)*" { #expect(found?[0] == "aa") } else { #expect(found == expected) }
    }

    @Test(arguments: [
        ("a", "b"), ("^b", "ab"), ("a$", "ab"), ("a.b", "a\nb"), ("[^a]", "aaa"), ("\\bat", "cat"), ("a\\z", "a\n"), ("(?i)é", "É"),
        ("a{3}", "aa"),
    ])
    func whatDoesNotMatch(pattern: String, subject: String) throws {
        #expect(try match(pattern, subject) == nil)
    }

    @Test(arguments: [
        ("(", "invalid regular expression: '(' without its ')'"), (")", "invalid regular expression: ')' without its '('"),
        ("*a", "invalid regular expression: '*' without anything to repeat"),
        ("a**", "invalid regular expression: a quantifier after a quantifier"),
        ("[a", "invalid regular expression: '[' without its ']'"),
        ("a{2,1}", "invalid regular expression: a quantifier whose bounds are in the wrong order"),
        ("a{x}", "invalid regular expression: a number expected after '{'"), ("a{1", "invalid regular expression: '{' without its '}'"),
        ("[z-a]", "invalid regular expression: a range of characters in the wrong order"),
        ("\\", "invalid regular expression: '\\' at the end"),
        ("a++", "regular expression with a possessive quantifier, which is not supported"),
        ("(?=a)", "regular expression with '(?=', which is not supported"),
        ("(?<!a)", "regular expression with '(?<', which is not supported"),
        ("(?>a)", "regular expression with '(?>', which is not supported"),
        ("(a)\\1", "regular expression with '\\1', which is not supported"),
        ("\\p{L}", "regular expression with '\\p', which is not supported"),
        ("[a[b]]", "regular expression with a class within a class, which is not supported"),
        ("[a&&b]", "regular expression with '&&', which is not supported"),
        ("(?x)a", "regular expression with the flag 'x', which is not supported"),
        ("a{5000}", "regular expression with more than 4096 instructions, which is not supported"),
        ("((a{99}){99}){99}", "regular expression with more than 4096 instructions, which is not supported"),
        (
            String(repeating: "(?:", count: 33) + String(repeating: ")", count: 33),
            "regular expression with groups nested deeper than 32, which is not supported"
        ),
        (String(repeating: "()", count: 32), "regular expression with more than 31 groups, which is not supported"),
    ])
    func whatIsNoneOrUnsupportedIsRefused(pattern: String, message: String) {
        let problem = #expect(throws: RegularExpressionProblem.self) { try RegularExpression(parsing: ArraySlice(pattern.utf8)) }
        #expect(problem?.message == message)
    }

    /// What an expression costs to read is in proportion to its program, also where most of it is thrown away again.
    @Test func readingIsPaidFor() throws {
        func cost(_ pattern: String) -> Int {
            var steps = 1_000_000
            _ = try? RegularExpression(parsing: ArraySlice(pattern.utf8), steps: &steps)
            return 1_000_000 - steps
        }
        #expect(cost("a{0,2000}") < cost("a{0,1000}") * 9 / 4)
        #expect(cost(String(repeating: "a{0,1000}|", count: 3)) > 6_000)
        let most = RegularExpression.instructionsWrittenMax + 20_000
        #expect(cost(String(repeating: "a{0,4000}|", count: 1_000)) < most)
        #expect(cost(String(repeating: "(?:a{4000}){0}", count: 1_000)) < most)
        #expect(cost(String(repeating: "|", count: 10_000)) < most)
        var few = 10
        #expect(throws: RegularExpressionProblem.self) { try RegularExpression(parsing: ArraySlice("abcdefghijk".utf8), steps: &few) }
        #expect(few < 0)
    }

    /// Expressions that take a backtracking search longer than anybody waits.
    @Test(arguments: ["(a+)+$", "(a|a)*c", "(a|aa)+$", "(.*)*x", "(a?){25}a{25}$"])
    func noExpressionBlowsUp(pattern: String) throws {
        let expression = try RegularExpression(parsing: ArraySlice(pattern.utf8))
        func steps(_ count: Int) -> Int {
            var steps = 100_000_000
            let subject = Array((String(repeating: "a", count: count) + "b").unicodeScalars)
            #expect(expression.firstMatch(in: subject, from: 0, wantsGroups: false, steps: &steps) == nil)
            return 100_000_000 - steps
        }
        // Twice the text costs no more than about twice the steps.
        #expect(steps(2_000) < steps(1_000) * 9 / 4)
    }

    /// Random expressions over few letters agree with another implementation, a backtracking one.
    @Test func matchesAgreeWithAnotherImplementation() throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        print("regular expressions: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var matches = 0
        for _ in 0..<3_000 {
            let pattern = Self.pattern(depth: 3, &random)
            let expression = try RegularExpression(parsing: ArraySlice(pattern.utf8))
            let other = try NSRegularExpression(pattern: pattern)
            for _ in 0..<3 {
                let subject = String((0..<Int.random(in: 0...8, using: &random)).map { _ in "abc".randomElement(using: &random) ?? "a" })
                var steps = 1_000_000
                let found = expression.firstMatch(in: Array(subject.unicodeScalars), from: 0, wantsGroups: false, steps: &steps)
                let theirs = other.firstMatch(in: subject, range: NSRange(location: 0, length: subject.utf16.count))?.range
                #expect(found.map { NSRange(location: $0[0], length: $0[1] - $0[0]) } == theirs, "\(pattern) in \(subject), seed \(seed)")
                if theirs != nil { matches += 1 }
            }
        }
        #expect(matches > 1_000, "seed \(seed)")
    }

    private static func pattern(depth: Int, _ random: inout SeededGenerator) -> String {
        let pieces = Int.random(in: 1...3, using: &random)
        return (0..<pieces).map { _ in
            let atoms = ["a", "b", "c", ".", "[ab]", "[^a]", "^", "$", "\\b"]
            var atom = atoms.randomElement(using: &random) ?? "a"
            if depth > 0, Bool.random(using: &random) {
                let inner = pattern(depth: depth - 1, &random)
                let choice = Bool.random(using: &random) ? "\(inner)|\(pattern(depth: depth - 1, &random))" : inner
                atom = Bool.random(using: &random) ? "(\(choice))" : "(?:\(choice))"
            }
            // What can be empty is not repeated: there implementations of the same syntax differ.
            let repeats = ["a", "b", "c", ".", "[ab]", "[^a]"].contains(atom)
            return atom
                + (repeats ? ["", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{1,}?"].randomElement(using: &random) ?? "" : "")
        }.joined()
    }
}
