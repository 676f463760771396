import MQTTCodec
import NIOCore
import Testing

/// Topic names and filters (MQTT 3.1.1 section 4.7), against oracles that are too slow and too simple to be wrong.
@Suite struct TopicTests {
    /// Every text of 1 to `length` bytes over `alphabet`.
    private static func texts(over alphabet: String, upTo length: Int) -> [String] {
        var all: [String] = []
        var last = [""]
        for _ in 1...length {
            last = last.flatMap { start in alphabet.map { start + String($0) } }
            all += last
        }
        return all
    }

    private func filterError(_ filter: String) -> DecodeError? {
        do throws(DecodeError) {
            try Topics.validate(filter: Array(filter.utf8).span, in: .subscribe)
            return nil
        } catch {
            return error
        }
    }

    private func nameError(_ name: String) -> DecodeError? {
        do throws(DecodeError) {
            try Topics.validate(name: Array(name.utf8).span, in: .publish)
            return nil
        } catch {
            return error
        }
    }

    /// The oracle for filters, level by level. [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT5-4.7.1-1] [MQTT5-4.7.1-2]
    private static func isFilter(_ text: String) -> Bool {
        let levels = text.split(separator: "/", omittingEmptySubsequences: false)
        return levels.enumerated().allSatisfy { position, level in
            level == "+" || (level == "#" && position == levels.count - 1) || !level.contains { $0 == "+" || $0 == "#" }
        }
    }

    /// The oracle for matching: walks both texts byte by byte and tries every length for `+`.
    private static func matches(_ name: ArraySlice<UInt8>, _ filter: ArraySlice<UInt8>) -> Bool {
        if filter.elementsEqual("#".utf8) { return true }
        if filter.elementsEqual("/#".utf8) { return name.isEmpty || name.first == UInt8(ascii: "/") }
        guard let first = filter.first else { return name.isEmpty }
        if first == UInt8(ascii: "+") {
            let level = name.prefix { $0 != UInt8(ascii: "/") }
            return (0...level.count).contains { matches(name.dropFirst($0), filter.dropFirst()) }
        }
        return name.first == first && matches(name.dropFirst(), filter.dropFirst())
    }

    @Test func filtersAreJudgedAsTheOracleJudgesThem() {
        let wrong = Self.texts(over: "a/+#$", upTo: 6).filter { (filterError($0) == nil) != Self.isFilter($0) }
        #expect(wrong == [])
        #expect(filterError("a#") == .invalidTopicFilter)
        #expect(filterError("") == .invalidTopicFilter)
    }

    @Test func namesAreJudgedAsTheOracleJudgesThem() {  // [MQTT-4.7.1-1] [MQTT5-4.7.0-1]
        let wrong = Self.texts(over: "a/+#$", upTo: 5).filter { name in
            nameError(name) != (name.contains { $0 == "+" || $0 == "#" } ? .wildcardInTopicName : nil)
        }
        #expect(wrong == [])
        #expect(nameError("") == .emptyTopicName)
    }

    /// Every legal filter of up to five bytes against every name of up to five, some 200,000 pairs. [MQTT-4.7.2-1] [MQTT5-4.7.2-1]
    @Test func matchingIsWhatTheOracleSays() {
        let filters = Self.texts(over: "a/+#$", upTo: 5).filter(Self.isFilter)
        let names = Self.texts(over: "a/$", upTo: 5)
        #expect(filters.count == 547 && names.count == 363)
        var wrong: [String] = []
        var matched = 0
        for filter in filters {
            let bytes = Array(filter.utf8)
            let isWild = bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "#")
            for name in names {
                let expected = !(isWild && name.utf8.first == UInt8(ascii: "$")) && Self.matches(Array(name.utf8)[...], bytes[...])
                if expected { matched += 1 }
                if Topics.matches(name: name, filter: filter) != expected { wrong.append("\(filter) \(name)") }
            }
        }
        #expect(wrong == [])
        #expect(matched == 2_967)
    }

    @Test(arguments: [
        ("sport/#", "sport", true), ("sport/#", "sport/", true), ("sport/+", "sport", false), ("sport/+", "sport/", true),
        ("+", "/a", false),
        ("/+", "/a", true), ("+/+", "/a", true), ("#", "$SYS", false), ("+/monitor", "$SYS/monitor", false), ("$SYS/#", "$SYS", true),
        ("$SYS/+", "$SYS/a", true), ("a/$b", "a/$b", true), ("a/+", "a/$b", true), ("a", "A", false), ("a ", "a", false), ("#", "/", true),
    ])
    func matchesAsTheSpecificationsExamples(filter: String, name: String, expected: Bool) {
        #expect(Topics.matches(name: name, filter: filter) == expected)
    }

    /// Composed and decomposed letters are equal as Swift strings, and different topics. [MQTT-4.7.3-4] [MQTT5-4.7.3-4]
    @Test func matchingDoesNotNormalize() {
        #expect("\u{E9}" == "e\u{301}")
        #expect(!Topics.matches(name: "\u{E9}", filter: "e\u{301}"))
        #expect(!Topics.matches(name: "a/\u{212B}", filter: "a/\u{C5}"))
        #expect(Topics.matches(name: "a/e\u{301}", filter: "+/e\u{301}"))
        // A wildcard stays one when a combining mark follows it, and the filter is then refused.
        #expect(filterError("+\u{301}") == .invalidTopicFilter)
        #expect(filterError("a/#\u{301}") == .invalidTopicFilter)
        #expect(nameError("a+\u{301}") == .wildcardInTopicName)
    }

    /// 65,535 levels cost time in proportion, and no stack.
    @Test func deepTopicsAreNoBurden() {
        let deep = String(repeating: "/", count: 65_535)
        let wild = Array(repeating: "+", count: 32_768).joined(separator: "/")
        #expect(filterError(deep) == nil && nameError(deep) == nil && filterError(wild) == nil)
        #expect(Topics.matches(name: deep, filter: deep))
        #expect(!Topics.matches(name: deep, filter: wild))
        #expect(Topics.matches(name: String(repeating: "/", count: 32_767), filter: wild))
    }
}
