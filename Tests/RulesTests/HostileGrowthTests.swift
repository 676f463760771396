import Rules
import Testing

/// Events and patterns that mean harm: what is looked at grows with the event, and not faster.
@Suite struct HostileGrowthTests {
    private static let bytes = 16_384

    @Test("Threat 50: twice the event takes at most twice the steps", arguments: HostileCase.all.map(\.name))
    func twiceTheEventTakesAtMostTwiceTheSteps(name: String) async throws {
        let hostile = try #require(HostileCase.all.first { $0.name == name })
        var index = PatternIndex()
        for (number, pattern) in hostile.patterns.enumerated() {
            index.insert(try EventPattern(parsing: Array(pattern.utf8)), for: number)
        }
        var search = EventSearch()
        var steps: [Int] = []
        for times in [1, 2, 4] {
            // Others wait for the thread, some with deadlines.
            await Task.yield()
            let event = Array(hostile.event(Self.bytes * times).utf8)
            // Each is an event that would be taken.
            _ = try JSONDocument(parsing: event, limits: JSONLimits(bytesMax: event.count, depthMax: event.count))
            _ = index.matches(event, using: &search)
            steps.append(search.steps)
            // Nothing that an event is made of costs more than a few looks, beside what the rules cost that it comes by.
            #expect(search.steps < 16 * event.count + 64 * hostile.patterns.count * times + 120_000, "\(name): \(search.steps) steps")
        }
        // Something is always looked at, whatever the size.
        #expect(steps[1] <= 2 * steps[0] + 512, "\(name): \(steps)")
        #expect(steps[2] <= 2 * steps[1] + 512, "\(name): \(steps)")
    }
}
