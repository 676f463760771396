import Rules
import Testing

/// Tables of patterns and events, one table per operator, with the answer for each pair.
///
/// In a table each pattern has a row of answers, `1` for a match, one for each event. The answers are those of the matching library
/// that the service uses; those about escapes and keys come from the documentation.
@Suite struct PatternVectorTests {
    static let operators = [
        "anything-but", "arrays", "cidr", "equals-ignore-case", "escapes", "exact", "exists", "keys", "numbers", "numeric", "or", "paths",
        "prefix", "prefix-ignoring-case", "suffix", "suffix-ignoring-case", "wildcard",
    ]

    @Test(arguments: operators)
    func aTablesPatternsMatchAloneAndInOneIndex(name: String) async throws {
        let table = try #require(Vectors.load("operators/\(name).json").first)
        let events = try #require(table["events"]).elements.compactMap(\.stringBytes).map(Array.init)
        let patterns = Array(try #require(table["patterns"]).elements)
        var index = PatternIndex()
        var compiled: [EventPattern] = []
        var answers: [[Bool]] = []
        for (number, row) in patterns.enumerated() {
            let pattern = try EventPattern(parsing: Array(try #require(row["pattern"]?.stringBytes)))
            compiled.append(pattern)
            index.insert(pattern, for: number)
            answers.append(try #require(row["answers"]?.stringValue).map { $0 == "1" })
        }
        let all = answers.flatMap(\.self)
        #expect(all.count { $0 } >= 100 && all.count { !$0 } >= 100, "hundreds of pairs, of both kinds")
        var search = EventSearch()
        for (column, event) in events.enumerated() {
            // Others wait for the thread, some with deadlines.
            await Task.yield()
            let document = try JSONDocument(parsing: event).root
            let expected = answers.indices.filter { answers[$0][column] }
            let description: Comment = "\(name), event \(text(event))"
            #expect(index.matches(document) == expected, description)
            #expect(index.matches(event, using: &search) == expected, description)
            #expect(compiled.indices.filter { compiled[$0].matches(document) } == expected, description)
        }
    }

    /// Random pairs, most of them about missing fields and several elements of arrays.
    @Test func randomPatternsGetTheAnswersOfTheServicesLibrary() async throws {
        let vectors = Vectors.load("random-patterns.json")
        for vector in vectors {
            await Task.yield()
            let pattern = try EventPattern(parsing: Array(try #require(vector["pattern"]?.stringBytes)))
            let event = try JSONDocument(parsing: Array(try #require(vector["event"]?.stringBytes))).root
            #expect(pattern.matches(event) == (vector["match"]?.kind == .true), "\(text(vector.rawJSON))")
        }
        #expect(vectors.count == 1_200)
    }

    @Test func invalidPatternsAreRefusedInTheServicesWords() throws {
        let vectors = Vectors.load("invalid-patterns.json")
        for vector in vectors {
            let pattern = try #require(vector["pattern"]?.stringBytes)
            let error = #expect(throws: EventPatternError.self, "\(text(pattern))") { try EventPattern(parsing: Array(pattern)) }
            #expect(error?.kind == .invalid, "\(text(pattern))")
            #expect(error?.message == "Event pattern is not valid. Reason: \(vector["reason"]?.stringValue ?? "")", "\(text(pattern))")
        }
        #expect(vectors.count > 150)
    }

    @Test func complexWildcardsAreRefused() throws {
        let vectors = Vectors.load("wildcard-complexity.json")
        for vector in vectors {
            let pattern = Array(try #require(vector["pattern"]?.stringBytes))
            let isRefused: Bool
            do throws(EventPatternError) {
                _ = try EventPattern(parsing: pattern)
                isRefused = false
            } catch {
                isRefused = error.message.hasPrefix("Event pattern is not valid. Reason: Rule is too complex - ")
            }
            #expect(isRefused == (vector["refused"]?.kind == .true), "\(text(pattern))")
        }
        #expect(vectors.count > 40)
    }
}
