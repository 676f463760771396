import Rules
import Testing

/// Damaged input: bytes flipped, inserted, deleted and doubled in what is valid.
///
/// Nothing may trap; what is accepted must work.
@Suite struct HostileInputTests {
    private static let rounds = 20_000

    private struct Mutator {
        var random: SeededGenerator

        mutating func damage(_ bytes: [UInt8]) -> [UInt8] {
            var result = bytes
            let telling = Array("\"\\{}[]:,'<>$.*()-+eE0u \0\u{FF}/=%@!;`".utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) where !result.isEmpty {
                let place = Int.random(in: 0..<result.count, using: &random)
                switch Int.random(in: 0..<6, using: &random) {
                case 0: result[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: result[place] = UInt8.random(in: 0...255, using: &random)
                case 2: result.insert(telling.randomElement(using: &random) ?? 0, at: place)
                case 3: result.remove(at: place)
                case 4: result.removeSubrange(place...)
                default:
                    let end = min(result.count, place + Int.random(in: 1...12, using: &random))
                    result.insert(contentsOf: result[place..<end], at: Int.random(in: 0...result.count, using: &random))
                }
            }
            return result
        }
    }

    /// Runs `body` with a damaged seed each round and returns how many it called accepted.
    private func run(_ seeds: [String], _ body: ([UInt8]) throws -> Bool) async throws -> (accepted: Int, seed: UInt64) {
        let seed = UInt64.random(in: 0..<1_000_000)
        print("hostile input: seed \(seed)")
        var mutator = Mutator(random: SeededGenerator(seed: seed))
        let sources = seeds.map { Array($0.utf8) }
        var accepted = 0
        for round in 0..<Self.rounds {
            // Others wait for the thread, some with deadlines.
            if round % 100 == 0 { await Task.yield() }
            if try body(mutator.damage(sources[round % sources.count])) { accepted += 1 }
        }
        return (accepted, seed)
    }

    @Test("Threat 51: damaged JSON is parsed or refused") func damagedJSONIsParsedOrRefused() async throws {
        let seeds = [
            #"{"a":[1,-2.5e10,{"b":"c\u00e9\ud83d\ude80"}],"d":{"e":null,"f":[true,false]},"a":"é😀"}"#,
            #"[ [ [ ] ] , { "x" : { } } , "\\\"" ]"#,
            "-0.0e-0", #"{"a.b":{"a":1},"a":{"b":{"a":[{"x":1},[{"y":2}]]}}}"#,
        ]
        let pattern = try EventPattern(parsing: Array(#"{"a":{"b":{"x":[1],"y":[2]}},"d":{"e":[null]}}"#.utf8))
        let result = try await run(seeds) { bytes in
            guard let document = try? JSONDocument(parsing: bytes) else { return false }
            let compact = document.root.rawJSON
            let again = try JSONDocument(parsing: compact).root.rawJSON
            #expect(again == compact, "\(text(bytes))")
            _ = pattern.matches(document.root)
            return true
        }
        #expect(result.accepted > 100, "seed \(result.seed)")
    }

    @Test func damagedPatternsAreCompiledOrRefused() async throws {
        let seeds = [
            #"{"source":["shop"],"detail-type":[{"prefix":"Order"}],"detail":{"n":[1,2.50,null,true],"a.b":{"c":["x"]}}}"#,
            #"{"a":{"b":[{"exactly":"::1"},1e3]},"items":{"sku":["mocha"],"size":["S"]}}"#,
        ]
        let event = try json(
            #"{"source":"shop","detail-type":"OrderX","detail":{"n":2.5,"a":{"b.c":"x"}},"items":[{"sku":"mocha"},{"size":"S"}]}"#)
        let result = try await run(seeds) { bytes in
            guard let pattern = try? EventPattern(parsing: bytes) else { return false }
            var index = PatternIndex()
            index.insert(pattern, for: 1)
            #expect(index.matches(event) == (pattern.matches(event) ? [1] : []), "\(text(bytes))")
            index.remove(1)
            #expect(index.isVacant)
            return true
        }
        #expect(result.accepted > 100, "seed \(result.seed)")
    }

    @Test func damagedTemplatesAreCompiledOrRefused() async throws {
        let seeds = [
            #"{"a": <a>, "b": "x <b> y \" <aws.events.rule-name>", "c": [<aws.events.event>, 1]}"#, "\"one <a> \\\" \"\n\"two <b>\"",
            "a/<a>/b-<b>", "$.a.b[0]['c d'].e-f",
            "$$a/${topic(2) + 'x'}/${b}",
        ]
        let event = try json(#"{"a":"x\"y\\","b":{"c":[1,2]},"id":"1"}"#)
        let reserved = ReservedVariables(ruleARN: "arn", ruleName: "r", ingestionTime: "t")
        let input = SQLInput(topic: "a/b", payload: event.rawJSON, clientID: nil, principal: nil, timestampMilliseconds: 0)
        let paths = [("a", "$.a"), ("b", "$.b")]
        let result = try await run(seeds) { bytes in
            let template = text(bytes)
            var accepted = false
            if let transformer = try? InputTransformer(pathsMap: paths, template: template) {
                accepted = true
                if let payload = try? transformer.transform(event, reserved: reserved), template.drop(while: \.isWhitespace).first != "\"" {
                    _ = try JSONDocument(parsing: payload)
                }
            }
            if let topic = try? TopicTemplate(parsing: template, placeholders: paths), let rendered = try? topic.render(event) {
                accepted = true
                #expect(!rendered.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") })
            }
            if let path = try? EventPath(parsing: template) { _ = path.select(in: event) }
            if let substitution = try? SubstitutionTemplate(parsing: template) { _ = substitution.render(input) }
            return accepted
        }
        #expect(result.accepted > 100, "seed \(result.seed)")
    }

    @Test func damagedStatementsAreCompiledOrRefused() async throws {
        let seeds = [
            "SELECT *, a.b AS c, topic(2) AS t FROM 'a/+/b/#' WHERE n > 1.5 AND NOT (s = 'x' OR b)",
            "SELECT (1 + 2) * -n / 0.1 % 3 AS x.y, 'a' + s AS z FROM \"t\"",
            "select clientid(), timestamp() AS ms, principal() from 'a' where n <> null and b = true",
            "SET @v = upper(s) SELECT VALUE get((SELECT {'k': [@v, *]}.k AS x FROM l WHERE a IN (1, 2)), 0) FROM 'a' WHERE s LIKE '%x'",
            "SELECT CASE s WHEN 'x' THEN cast(n AS String) ELSE regexp_replace(s, '(x|y)*', '$1') END AS r, encode(*, 'base64') AS p",
        ]
        let payload = Array(
            #"{"n":2.50,"s":"x","b":false,"l":[{"a":1},{"a":3}],"a":{"b":[1e999,12345678901234567890123456789012345678901234]}}"#.utf8)
        let inputs = [payload, [], [0xFF]].map {
            SQLInput(topic: "a/x/b", payload: $0, clientID: nil, principal: "p", timestampMilliseconds: .max)
        }
        let result = try await run(seeds) { bytes in
            guard let statement = try? SQLStatement(parsing: text(bytes)) else { return false }
            for input in inputs {
                guard let result = try? statement.evaluate(input), result != input.payload, !result.isEmpty else { continue }
                _ = try JSONDocument(parsing: result)
            }
            return true
        }
        #expect(result.accepted > 100, "seed \(result.seed)")
    }
}
