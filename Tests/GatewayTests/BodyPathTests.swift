import Documents
import Rules
import Testing

@testable import Gateway

/// What JSON paths of parameters select, as API Gateway's do.
@Suite struct BodyPathTests {
    private static let body = #"{"a":[{"n":"x"},{"n":2},{"m":[1,2]},null],"o":{"p":{"n":3},"q":{}},"s":"text","z":null}"#

    private func text(_ steps: [ParameterValue.Step]) throws -> String? {
        RouteRequest.text(at: steps, in: try JSONDocument(parsing: Array(Self.body.utf8)).root)
    }

    @Test(
        "A position below zero counts from the end",
        arguments: [(-1, nil), (-2, #"{"m":[1,2]}"#), (-4, #"{"n":"x"}"#), (-5, nil), (.min, nil)])
    func positions(position: Int, expected: String?) throws {
        #expect(try text([.member("a"), .element(position)]) == expected)
        #expect(try text([.member("s"), .element(position)]) == nil)
    }

    @Test(
        "A wildcard selects an array of all that is there",
        arguments: [
            ([.member("a"), .all, .member("n")], #"["x",2]"#), ([.member("o"), .all], #"[{"n":3},{}]"#),
            ([.member("o"), .all, .member("n")], "[3]"),
            ([.member("a"), .all, .member("m"), .all], "[1,2]"), ([.member("a"), .all, .member("m"), .element(-1)], "[2]"),
            ([.member("s"), .all], "[]"), ([.member("a"), .all, .member("none")], "[]"), ([.member("none"), .all], nil),
            ([.all, .all, .member("n")], #"["x",2,3]"#),
        ] as [([ParameterValue.Step], String?)])
    func wildcards(steps: [ParameterValue.Step], expected: String?) throws { #expect(try text(steps) == expected) }

    @Test(
        "A slice has its lower bound and not its upper one",
        arguments: [
            (0, 1, #"[{"n":"x"}]"#), (1, 3, #"[{"n":2},{"m":[1,2]}]"#), (nil, 1, #"[{"n":"x"}]"#), (3, nil, "[null]"), (-1, nil, "[null]"),
            (nil, -3, #"[{"n":"x"}]"#), (2, 1, "[]"), (9, nil, "[]"), (nil, 99, nil), (-99, 1, #"[{"n":"x"}]"#), (.min, .max, nil),
        ] as [(Int?, Int?, String?)])
    func slices(lower: Int?, upper: Int?, expected: String?) throws {
        let whole = #"[{"n":"x"},{"n":2},{"m":[1,2]},null]"#
        #expect(try text([.member("a"), .slice(lower: lower, upper: upper)]) == expected ?? whole)
        #expect(try text([.member("none"), .slice(lower: lower, upper: upper)]) == nil)
    }
}
