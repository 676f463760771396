import Testing

@testable import Rights

@Suite struct FilterLevelsTests {
    /// Whether a filter matches a topic, read off the standard (MQTT 3.1.1 section 4.7), level by level.
    private static func matches(_ filter: [String], _ topic: [String]) -> Bool {
        if topic[0].hasPrefix("$"), ["+", "#"].contains(filter[0]) { return false }
        for (index, level) in filter.enumerated() {
            if level == "#" { return topic.count >= index }
            guard index < topic.count, level == "+" || level == topic[index] else { return false }
        }
        return filter.count == topic.count
    }

    private static func texts(of levels: [String], upTo count: Int) -> [[String]] {
        var all: [[String]] = []
        var longest: [[String]] = [[]]
        for _ in 0..<count {
            longest = longest.flatMap { text in levels.map { text + [$0] } }
            all += longest
        }
        return all.filter { $0 != [""] }  // a topic and a filter have one character at least
    }

    @Test("One filter contains another just when it matches every topic that the other matches: all small filters, by brute force")
    func containment() {
        // Of the filters' own levels, one that none of them has, and one level more than they have: what differs at all differs there.
        let topics = Self.texts(of: ["a", "", "$s", "other"], upTo: 4)
        let filters = Self.texts(of: ["a", "", "$s", "+", "#"], upTo: 3).filter { !$0.dropLast().contains("#") }
        let matched = filters.map { filter in Set(topics.indices.filter { Self.matches(filter, topics[$0]) }) }
        let levels = filters.map { FilterLevels(filter: $0.joined(separator: "/").utf8) }
        var contained = 0
        for (one, grant) in filters.enumerated() {
            for (other, asked) in filters.enumerated() {
                let isContained = matched[other].isSubset(of: matched[one])
                if isContained { contained += 1 }
                if levels[one].contains(levels[other]) != isContained { Issue.record("\(grant) and \(asked): \(isContained)") }
            }
        }
        #expect(filters.count == 104)
        #expect(contained > filters.count)
    }

    @Test("A filter stands for the topics that it matches")
    func topics() {
        for filter in Self.texts(of: ["a", "$s", "+", "#"], upTo: 3) where !filter.dropLast().contains("#") {
            let levels = FilterLevels(filter: filter.joined(separator: "/").utf8)
            for topic in Self.texts(of: ["a", "", "$s", "other"], upTo: 3) {
                #expect(levels.contains(FilterLevels(topic: topic.joined(separator: "/").utf8)) == Self.matches(filter, topic))
            }
        }
    }

    @Test("What is no filter has a problem", arguments: ["", "a/#/b", "a+", "+a/b", "a/b#", "##", "a/++", "a\0"])
    func problems(_ text: String) { #expect(FilterLevels.problem(with: text.utf8) != nil) }

    @Test("What is a filter has none", arguments: ["a", "/", "#", "+", "+/#", "a/+/b", "$SYS/#", "a b", "a//b"])
    func sound(_ text: String) { #expect(FilterLevels.problem(with: text.utf8) == nil) }
}
