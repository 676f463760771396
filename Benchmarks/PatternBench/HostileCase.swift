/// Patterns and events that were made to take long, as they would come from somebody who knows how rules are found.
///
/// Measured by `PatternBench`, and by the tests of `Rules`, which count what is looked at.
struct HostileCase: Sendable {
    let name: String
    let patterns: [String]
    /// An event of about so many bytes.
    let event: @Sendable (Int) -> String

    private init(_ name: String, _ patterns: [String], event: @escaping @Sendable (Int) -> String) {
        self.name = name
        self.patterns = patterns
        self.event = event
    }

    static let all = texts + lists + arrays + alternatives + documents

    private static func text(_ piece: String, _ count: Int) -> String { String(repeating: piece, count: count) }

    private static func list(_ count: Int, _ element: (Int) -> String) -> String {
        "[" + (0..<count).map(element).joined(separator: ",") + "]"
    }

    /// A list of about so many bytes.
    private static func list(bytes: Int, _ element: (Int) -> String) -> String {
        var parts: [String] = []
        var length = 0
        while length < bytes {
            parts.append(element(parts.count))
            length += parts[parts.count - 1].utf8.count + 1
        }
        return "[" + parts.joined(separator: ",") + "]"
    }

    /// Long texts.
    private static let texts = [
        HostileCase("stars", ["*a*a*a*a*b", "*aaaaaaaaa", "a*a*a*a*a*a", "*ab*ab*ab*b"].map { #"{"a":[{"wildcard":"\#($0)"}]}"# }) {
            #"{"a":"\#(text("a", $0))"}"#
        },
        HostileCase("repeats", ["*aaaaaaaa*", "x*aaaaaab*"].map { #"{"a":[{"wildcard":"\#($0)"}]}"# }) {
            #"{"a":"x\#(text("aaaaaaac", $0 / 8))"}"#
        },
        HostileCase("one-piece", (0..<1_000).map { _ in #"{"a":[{"wildcard":"*aaaa*"}],"b":[1]}"# }) { #"{"a":"\#(text("a", $0))"}"# },
        HostileCase("pieces", (0..<200).map { #"{"a":[{"wildcard":"*\#($0)aaa*"}]}"# }) { #"{"a":"\#(text("a", $0))"}"# },
        HostileCase(
            "caseless",
            (0..<100).map { #"{"a":[{"equals-ignore-case":"ÉÉÉ\#($0)"},{"prefix":{"equals-ignore-case":"É\#($0)"}}]}"# }
        ) { #"{"a":"\#(text("éÉ", $0 / 4))"}"# },
        HostileCase("escapes", [#"{"a":[{"prefix":"x"}]}"#]) { #"{"a":"\#(text("\\u00e9", $0 / 6))"}"# },
        HostileCase("long-prefixes", [30, 60, 90].map { "{\"a\":[{\"prefix\":\"\(text("a", $0))b\"}]}" }) {
            #"{"a":\#(list(bytes: $0) { _ in "\"\(text("a", 100))\"" })}"#
        },
        HostileCase("skipped", [#"{"b":[1]}"#]) { #"{"a":"\#(text("x\\\"", $0 / 3))"}"# },
    ]

    /// Many values at one path, against long lists.
    private static let lists = [
        HostileCase("excluded", ["{\"a\":[{\"anything-but\":" + list(400) { "\"v\($0)\"" } + "}]}"]) {
            #"{"a":\#(list(bytes: $0) { "\"v\($0 % 400)\"" })}"#
        },
        HostileCase("excluded-prefixes", ["{\"a\":[{\"anything-but\":{\"prefix\":" + list(400) { "\"v\($0)\"" } + "}}]}"]) {
            #"{"a":\#(list(bytes: $0) { "\"v\($0)\"" })}"#
        },
        HostileCase("excluded-caseless", ["{\"a\":[{\"anything-but\":{\"equals-ignore-case\":" + list(300) { "\"aaaaV\($0)\"" } + "}}]}"]) {
            #"{"a":\#(list(bytes: $0) { "\"AaAav\($0 % 300)\"" })}"#
        },
        HostileCase("excluded-wildcards", ["{\"a\":[{\"anything-but\":{\"wildcard\":" + list(200) { "\"aaaa\($0)*x\"" } + "}}]}"]) {
            #"{"a":\#(list(bytes: $0) { "\"aaaa\($0 % 200)yx\"" })}"#
        },
        HostileCase("prefixes", ["{\"b\":[1],\"a\":" + list(150) { "{\"prefix\":\"\(text("a", $0 % 8))\($0)\"}" } + "}"]) {
            #"{"b":1,"a":\#(list(bytes: $0) { _ in "\"aaaaaaaab\"" })}"#
        },
        HostileCase("suffixes", ["{\"b\":[1],\"a\":" + list(150) { "{\"suffix\":\"\($0)\(text("a", $0 % 8))\"}" } + "}"]) {
            #"{"b":1,"a":\#(list(bytes: $0) { _ in "\"baaaaaaaa\"" })}"#
        },
        HostileCase("ranges", ["{\"b\":[1],\"a\":" + list(100) { "{\"numeric\":[\">\",\($0 * 10),\"<\",\($0 * 10 + 9)]}" } + "}"]) {
            #"{"b":1,"a":\#(list(bytes: $0) { "\($0 % 100 * 10)" })}"#
        },
        HostileCase("blocks", ["{\"b\":[1],\"a\":" + list(150) { "{\"cidr\":\"10.\($0).0.0/16\"}" } + "}"]) {
            #"{"b":1,"a":\#(list(bytes: $0) { "\"11.\($0 % 256).0.1\"" })}"#
        },
        HostileCase("masks", (1..<128).map { "{\"a\":[{\"cidr\":\"f000::/\($0)\"}]}" }) {
            #"{"a":\#(list(bytes: $0) { "\"\(String($0 % 0xE000, radix: 16))::1\"" })}"#
        },
        // Each block holds one address, far from where a search of the list begins.
        HostileCase("few-hits", (0..<254).map { "{\"a\":[{\"cidr\":\"10.\($0).0.0/16\"}]}" }) {
            #"{"a":\#(list(bytes: $0) { $0 < 254 ? "\"10.\($0).0.1\"" : "\"11.\($0 >> 8 & 255).\($0 & 255).1\"" })}"#
        },
        HostileCase("few-numbers", (0..<254).map { #"{"n":[{"numeric":[">=",\#($0 * 10),"<",\#($0 * 10 + 1)]}]}"# }) {
            #"{"n":\#(list(bytes: $0) { $0 < 254 ? "\($0 * 10)" : "\(90_000 + $0)" })}"#
        },
        HostileCase("nested-blocks", (1..<128).flatMap { bits in ["::", "8000::"].map { "{\"a\":[{\"cidr\":\"\($0)/\(bits)\"}]}" } }) {
            #"{"a":\#(list(bytes: $0) { "\"\($0 % 2 == 0 ? "" : "8000")::\(String($0 & 0xFFFF, radix: 16))\"" })}"#
        },
        HostileCase(
            "elements-in-blocks", (8..<32).flatMap { bits in (0..<10).map { "{\"l\":{\"a\":[{\"cidr\":\"10.\($0).0.0/\(bits)\"}]}}" } }
        ) {
            #"{"l":\#(list(bytes: $0) { #"{"a":"10.\#($0 % 10).0.1"}"# })}"#
        },
        HostileCase("values", [#"{"b":[1],"a":[0,{"prefix":"x"}]}"#]) { #"{"b":1,"a":\#(list(bytes: $0) { _ in "1" })}"# },
        HostileCase("numbers", (0..<100).map { #"{"n":[{"numeric":[">",\#($0),"<",\#($0 + 100_000)]}],"m":[1]}"# }) {
            #"{"n":\#(list(bytes: $0) { "\($0)" })}"#
        },
        HostileCase("open-ranges", (0..<1_000).map { #"{"n":[{"numeric":[">",\#($0 * 10),"<",\#($0 * 20 + 100)]}]}"# }) {
            #"{"n":[-1e300,1e300],"pad":"\#(text("x", $0))"}"#
        },
        HostileCase("digits", [#"{"n":[1]}"#]) { #"{"n":\#(text("1", $0 / 2)),"m":0.\#(text("1", $0 / 2))}"# },
        HostileCase("fractions", [#"{"n":[1]}"#]) { #"{"n":\#(list(bytes: $0) { "0.1234567890123456\($0)" })}"# },
    ]

    /// Elements of arrays, in which several fields have to be met at once.
    private static let arrays = [
        HostileCase("consistency", [#"{"items":{"x":[1],"y":[1],"z":[1]}}"#]) {
            #"{"items":\#(list(bytes: $0) { [#"{"x":1,"y":1}"#, #"{"y":1,"z":1}"#, #"{"x":1,"z":1}"#][$0 % 3] })}"#
        },
        HostileCase("absence", [#"{"items":{"a":[1],"z":[{"exists":false}]}}"#]) {
            #"{"items":\#(list(bytes: $0) { _ in #"{"a":1,"z":2}"# })}"#
        },
        HostileCase("two-places", [#"{"x":{"y":{"a":[1],"b":[1],"c":[1]}}}"#]) { bytes in
            // Each field is found in two places, and the third one always lies beside one of the others.
            let elements = list(bytes: bytes / 2) { "{\"\(["a", "b", "c"][$0 % 3])\":1}" }
            return #"{"x":{"y":\#(elements)},"x.y":\#(elements)}"#
        },
        HostileCase("two-deep-places", [#"{"x":{"y":{"a":[1],"b":[1],"c":[1]}}}"#]) { bytes in
            let elements = list(bytes: bytes / 2) { "\(text("[", 100)){\"\(["a", "b", "c"][$0 % 3])\":1}\(text("]", 100))" }
            return #"{"x":{"y":\#(elements)},"x.y":\#(elements)}"#
        },
        HostileCase("two-places-absent", [#"{"x":{"y":{"a":[1],"b":[1],"c":[{"exists":false}]}}}"#]) { bytes in
            let elements = list(bytes: bytes / 2) { #"{"c":1,"\#(["a", "b", "c"][$0 % 3])":1}"# }
            return #"{"x":{"y":\#(elements)},"x.y":\#(elements)}"#
        },
        HostileCase("nested-arrays", [#"{"a":{"b":[1],"c":[1]}}"#]) {
            #"{"a":\#(text("[", $0 / 24))\#(list(bytes: $0) { [#"{"b":1}"#, #"{"c":1}"#][$0 % 2] })\#(text("]", $0 / 24))}"#
        },
        HostileCase("users", (0..<5_000).map { #"{"user":["u\#($0)"]}"# }) { #"{"user":\#(list(bytes: $0) { "\"u\($0)\"" })}"# },
        HostileCase("users-of-items", (0..<5_000).map { #"{"items":{"user":["u\#($0)"],"kind":["x"]}}"# }) {
            #"{"items":\#(list(bytes: $0) { #"{"user":"u\#($0)","kind":"y"}"# })}"#
        },
    ]

    /// `$or`, which multiplies.
    private static let alternatives = [
        HostileCase("or", ["{" + (0..<9).map { #""$or":[{"a\#($0)":["x"]},{"b\#($0)":["x"]}]"# }.joined(separator: ",") + "}"]) {
            "{" + (0..<9).map { "\"a\($0)\":\"x\",\"b\($0)\":\"x\"" }.joined(separator: ",") + ",\"pad\":\"\(text("x", $0))\"}"
        },
        HostileCase("or-of-many-fields", [orOfMany]) { bytes in
            let fields = (0..<200).map { "\"f\($0)\":1" } + (0..<3).map { "\"k\($0)\":\(list(10) { "\($0)" })" }
            return "{" + fields.joined(separator: ",") + ",\"z\":\(list(bytes: bytes) { _ in "1" })}"
        },
        HostileCase("or-in-arrays", ["{\"i\":{" + (0..<3).map { or(10, "k\($0)") }.joined(separator: ",") + "}}"]) {
            "{\"i\":" + list(bytes: $0) { "{\"k\($0 % 3)\":\($0 / 3 % 10),\"k\(($0 + 1) % 3)\":\($0 / 30 % 10)}" } + "}"
        },
    ]

    private static func or(_ count: Int, _ name: String) -> String { "\"$or\":" + list(count) { "{\"\(name)\":[\($0)]}" } }

    private static let orOfMany =
        "{" + ((0..<200).map { "\"f\($0)\":[1]" } + (0..<3).map { or(10, "k\($0)") } + ["\"z\":[2]"]).joined(separator: ",") + "}"

    /// The text of the event itself.
    private static let documents = [
        HostileCase("depth", [#"{"a":{"a":{"a":{"b":[1]}}}}"#]) { text(#"{"a":"#, $0 / 6) + "1" + text("}", $0 / 6) },
        HostileCase("depth-skipped", [#"{"b":[1]}"#]) { #"{"a":\#(text("[", $0 / 2) + text("]", $0 / 2))}"# },
        HostileCase("depth-of-arrays", [#"{"a":[1]}"#]) { #"{"a":\#(text("[", $0 / 2) + text("]", $0 / 2))}"# },
        HostileCase("keys", [#"{"k1":[0],"k2":{"x":[1]}}"#]) {
            "{" + list(bytes: $0) { "\"k\($0)\":1" }.dropFirst().dropLast() + "}"
        },
        HostileCase("same-key", [#"{"k":[0]}"#]) { "{" + list(bytes: $0) { _ in "\"k\":1" }.dropFirst().dropLast() + "}" },
        HostileCase("dotted-key", [#"{"a":{"b":[0]}}"#]) {
            "{\"a.b\":1," + list(bytes: $0) { "\"k\($0)\":1" }.dropFirst().dropLast() + "}"
        },
        HostileCase("objects", [#"{"a":{"b":[0]}}"#]) { #"{"a":\#(list(bytes: $0) { _ in #"{"b":1}"# })}"# },
    ]
}
