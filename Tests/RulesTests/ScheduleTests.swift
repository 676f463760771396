import Foundation
import Rules
import Testing

@Suite struct ScheduleTests {
    struct Vectors: Decodable {
        struct Due: Decodable {
            let expression: String
            let after: Int64
            /// The next times, in milliseconds since 1970; fewer than five where there are no more in the time that was looked through.
            let due: [Int64]
        }

        let due: [Due]
        let valid: [String]
        let invalid: [String]

        static func load() throws -> Vectors {
            let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/schedules.json")
            return try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: file))
        }
    }

    @Test func cronIsDueAsTheCalendarSays() throws {
        for row in try Vectors.load().due {
            let schedule = try ScheduleExpression(parsing: row.expression)
            var (moment, found) = (row.after, [Int64]())
            while found.count < max(row.due.count, 1), let next = schedule.next(after: moment, from: 0) {
                found.append(next)
                moment = next
            }
            #expect(found == row.due, "\(row.expression)")
        }
    }

    @Test func expressionsAreTakenOrRefused() throws {
        let vectors = try Vectors.load()
        for text in vectors.valid + vectors.due.map(\.expression) {
            #expect(throws: Never.self, "\(text)") { try ScheduleExpression(parsing: text) }
        }
        for text in vectors.invalid {
            #expect(throws: ScheduleExpressionError.self, "\(text)") { try ScheduleExpression(parsing: text) }
        }
    }

    @Test func recordedExpressionsAreTakenOrRefused() throws {
        guard let (valid, invalid) = try recorded() else { return }
        #expect(valid.count > 10 && invalid.count > 10)
        for text in valid { #expect(throws: Never.self, "\(text)") { try ScheduleExpression(parsing: text) } }
        for text in invalid { #expect(throws: ScheduleExpressionError.self, "\(text)") { try ScheduleExpression(parsing: text) } }
    }

    private func recorded() throws -> (valid: [String], invalid: [String])? {
        guard let root = try RecordedAnswers.root(of: "schedules.json") else { return nil }
        func texts(_ name: String) -> [String] {
            root.members.first { $0.name == name }?.value.elements.compactMap { $0.stringBytes.map { String(decoding: $0, as: UTF8.self) } }
                ?? []
        }
        return (texts("valid"), texts("invalid"))
    }

    @Test(arguments: [
        ("rate(1 minute)", 0, 60_000), ("rate(5 minutes)", 299_999, 300_000), ("rate(5 minutes)", 300_000, 600_000),
        ("rate(1 day)", -1, 86_400_000), ("rate(2 hours)", 7_200_001, 14_400_000),
    ])
    func aRateCountsFromTheRule(text: String, passed: Int64, next: Int64) throws {
        let creation: Int64 = 1_795_000_000_123
        #expect(try ScheduleExpression(parsing: text).next(after: creation + passed, from: creation) == creation + next)
    }

    @Test(arguments: ["rate(2147483647 days)", "cron(* * * * ? *)"])
    func timeEndsWithoutATrap(text: String) throws {
        let schedule = try ScheduleExpression(parsing: text)
        #expect(schedule.next(after: .max, from: .max) == nil)
        #expect(schedule.next(after: .min, from: 0) != nil)
    }

    @Test func theReasonIsNamed() {
        #expect(throws: ScheduleExpressionError.self) { try ScheduleExpression(parsing: "cron(71 8 1 * ? *)") }
        do {
            _ = try ScheduleExpression(parsing: "cron(71 8 1 * ? *)")
        } catch {
            #expect(
                "\(error)"
                    == "Parameter ScheduleExpression is not valid. Reason: `71` in the field minutes: a number from 0 to 59 is expected.")
        }
    }
}
