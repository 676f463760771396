import CremaTesting
import Testing

@testable import Rights

@Suite struct ResourcePatternTests {
    private func matches(_ pattern: String, _ name: String, isFilter: Bool = false) -> Bool {
        ResourcePattern(wildcardsIn: pattern).matches(Array(name.utf8), isFilter: isFilter)
    }

    @Test(
        "A pattern stands for names",
        arguments: [
            ("a", "a"), ("*", ""), ("*", "a/b/c"), ("a*", "a"), ("a*", "abc"), ("*c", "abc"), ("a*c", "ac"), ("a*c", "abcbc"),
            ("a?c", "abc"),
            ("a?c", "aéc"), ("a?", "a☕"), ("?*", "a"), ("*?", "abc"), ("**", ""), ("a*b*c", "a-b-b-c"), ("*/status", "orders/1/status"),
            ("topic/+", "topic/+"), ("topic/#", "topic/#"), ("*a*a*a*", "aaa"), ("é*", "éa"),
        ])
    func standsFor(_ pattern: String, _ name: String) {
        #expect(matches(pattern, name))
    }

    @Test(
        "Threat 40: a pattern does not stand for other names, and what means something in a regular expression means itself",
        arguments: [
            ("a.c", "abc"), (".*", "a"), ("a+", "aa"), ("[ab]", "a"), ("(a|b)", "a"), ("^a$", "a"), ("\\w", "a"), ("a{2}", "aa"),
            ("a|b", "b"),
            ("a", ""), ("", "a"), ("a", "ab"), ("a", "A"), ("a*c", "ab"), ("a?c", "ac"), ("a?c", "abbc"), ("a?", "a"), ("a?", "aéé"),
            ("topic/+", "topic/a"), ("topic/#", "topic/a/b"), ("*b", "abc"), ("?", ""), ("a*b*c", "a-c-b"),
        ])
    func standsNotFor(_ pattern: String, _ name: String) {
        #expect(!matches(pattern, name))
    }

    @Test("One character of a filter is no level: `?` stands for neither `+` nor `#`")
    func filters() {
        #expect(matches("a/?", "a/b", isFilter: true))
        #expect(!matches("a/?", "a/+", isFilter: true))
        #expect(!matches("a/?", "a/#", isFilter: true))
        #expect(matches("a/*", "a/#", isFilter: true))
        #expect(matches("a/?", "a/+"))  // as a topic or a client identifier
    }

    @Test("Random names: a pattern agrees with trying every split")
    func random() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededRandom(seed: seed)
        for _ in 0..<20_000 {
            let pattern = String(
                (0..<Int.random(in: 0...7, using: &generator)).map { _ in "ab*?/".randomElement(using: &generator) ?? "a" })
            let name = String((0..<Int.random(in: 0...8, using: &generator)).map { _ in "ab/é".randomElement(using: &generator) ?? "a" })
            let expected = Self.tried(Array(pattern), Array(name))
            #expect(matches(pattern, name) == expected, "seed \(seed): `\(pattern)` and `\(name)`")
        }
    }

    /// By trying everything, character by character.
    private static func tried(_ pattern: [Character], _ name: [Character]) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        let rest = Array(pattern.dropFirst())
        if first == "*" { return (0...name.count).contains { tried(rest, Array(name.dropFirst($0))) } }
        guard let head = name.first, first == "?" || first == head else { return false }
        return tried(rest, Array(name.dropFirst()))
    }
}
