import Rules

/// Patterns and events that were made to take long.
struct HostileCase: Sendable {
    let name: String
    let patterns: [EventPattern]
    /// The event, its telling part that many times as long.
    let event: @Sendable (Int) -> [UInt8]

    init(_ name: String, _ patterns: [String], event: @escaping @Sendable (Int) -> String) {
        self.name = "hostile-\(name)"
        self.patterns = patterns.map(compiled)
        self.event = { Array(event($0).utf8) }
    }

    private static func text(_ piece: String, _ count: Int) -> String { String(repeating: piece, count: count) }

    private static func list(_ count: Int, _ element: (Int) -> String) -> String {
        "[" + (0..<count).map(element).joined(separator: ",") + "]"
    }

    static let all = [
        HostileCase("stars", ["*a*a*a*a*b", "*aaaaaaaaa", "a*a*a*a*a*a", "*ab*ab*ab*b"].map { #"{"a":[{"wildcard":"\#($0)"}]}"# }) {
            #"{"a":"\#(text("a", 32_768 * $0))"}"#
        },
        HostileCase("or", [text("{", 1) + (0..<9).map { #""$or":[{"a\#($0)":["x"]},{"b\#($0)":["x"]}]"# }.joined(separator: ",") + "}"]) {
            "{" + (0..<9).map { "\"a\($0)\":\"x\",\"b\($0)\":\"x\"" }.joined(separator: ",") + ",\"pad\":\"\(text("x", 1_024 * $0))\"}"
        },
        HostileCase("depth", [#"{"a":{"a":{"a":{"b":[1]}}}}"#]) { text(#"{"a":"#, 16_384 * $0) + "1" + text("}", 16_384 * $0) },
        HostileCase("depth-skipped", [#"{"b":[1]}"#]) { #"{"a":\#(text("[", 32_768 * $0) + text("]", 32_768 * $0))}"# },
        HostileCase("consistency", [#"{"items":{"x":[1],"y":[1],"z":[1]}}"#]) {
            #"{"items":"# + list(2_048 * $0) { [#"{"x":1,"y":1}"#, #"{"y":1,"z":1}"#, #"{"x":1,"z":1}"#][$0 % 3] } + "}"
        },
        HostileCase("absence", [#"{"items":{"a":[1],"z":[{"exists":false}]}}"#]) {
            #"{"items":"# + list(2_048 * $0) { _ in #"{"a":1,"z":2}"# } + "}"
        },
        HostileCase("two-places", [#"{"items":{"sku":{"x":[1],"y":[2],"z":[3]}}}"#]) {
            #"{"items":{"sku":\#(list(512 * $0) { _ in #"{"x":1}"# })},"items.sku":\#(list(512 * $0) { _ in #"{"y":2}"# })}"#
        },
        HostileCase("numbers", (0..<100).map { #"{"n":[{"numeric":[">",\#($0),"<",\#($0 + 100_000)]}],"m":[1]}"# }) {
            #"{"n":\#(list(4_096 * $0) { "\($0)" })}"#
        },
        HostileCase("many-prefixes", ["{\"a\":" + list(200) { "{\"prefix\":\"\(text("a", $0 % 8))\($0)\"}" } + ",\"b\":[1]}"]) {
            #"{"b":1,"a":\#(list(1_024 * $0) { _ in "\"aaaaaaaab\"" })}"#
        },
        HostileCase("excluded", ["{\"a\":[{\"anything-but\":" + list(400) { "\"v\($0)\"" } + "}]}"]) {
            #"{"a":\#(list(4_096 * $0) { "\"v\($0 % 400)\"" })}"#
        },
    ]
}
