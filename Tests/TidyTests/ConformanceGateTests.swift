import Testing

/// ``brokenConformance(_:in:)`` on bad examples: each way in which a table may fall behind the code is found.
@Suite struct ConformanceGateTests {
    private static let standard = ConformanceStandard(
        article: "Sources/A/Table.md", prefix: "MQTT-", count: 3, firstNumbers: ["2.2.1": 2], allowsNotYet: false)

    private static let rows = [
        "| MQTT-1.5.3-1 | both | Words. | enforced | `A/One.swift` `A/Two.swift` | `ATests/Vectors/a.json` |",
        "| MQTT-1.5.3-2 | client | Words. | client | | |",
        "| MQTT-2.2.1-2 | server | Words. | whole | | |",
    ]

    private static let code = [
        TextFile(path: "Sources/A/One.swift", text: "a()  // MQTT-1.5.3-1"),
        TextFile(path: "Sources/A/Two.swift", text: "// because of MQTT-1.5.3-1, and MQTT-1.5.3-2.\nb()"),
        TextFile(path: "Tests/ATests/Vectors/a.json", text: #"[{"statements": ["MQTT-1.5.3-1"]}]"#),
    ]

    private func findings(
        _ rows: [String], code: [TextFile] = code, standard: ConformanceStandard = standard
    ) -> [String] {
        let article = TextFile(path: standard.article, text: "# Table\n\n| Statement | Binds |\n" + rows.joined(separator: "\n") + "\n")
        return brokenConformance(standard, in: code + [article]).map(\.reason)
    }

    private func replacing(_ place: Int, _ row: String) -> [String] {
        var rows = Self.rows
        rows[place] = row
        return rows
    }

    @Test func aTableThatAgreesIsLeftAlone() { #expect(findings(Self.rows) == []) }

    @Test func aTableThatIsNotThereIsFound() { #expect(brokenConformance(Self.standard, in: Self.code).count == 1) }

    @Test(arguments: 0..<3)
    func aMissingRowIsFound(place: Int) {
        var rows = Self.rows
        rows.remove(at: place)
        #expect(findings(rows).contains("2 statements, and the standard has 3"))
    }

    @Test func aGapAndARepetitionAreFound() {
        let gap = findings(replacing(1, "| MQTT-1.5.3-3 | client | Words. | client | | |"))
        #expect(gap.contains("MQTT-1.5.3-3 where 1.5.3-2 was expected"))
        #expect(findings(replacing(1, Self.rows[0])).contains("MQTT-1.5.3-1 where 1.5.3-2 was expected"))
        let early = findings(replacing(2, "| MQTT-2.2.1-1 | server | Words. | whole | | |"))
        #expect(early.contains("MQTT-2.2.1-1 where 2.2.1-2 was expected"))
    }

    @Test(arguments: [
        "| MQTT-1.5.3-1 | both | Words. | enforced | | `ATests/Vectors/a.json` |",
        "| MQTT-1.5.3-1 | both | Words. | enforced | `A/One.swift` | |",
        "| MQTT-1.5.3-1 | both | Words. | enforced | `A/Three.swift` | `ATests/Vectors/a.json` |",
        "| MQTT-1.5.3-1 | both | Words. | enforced | `A/One.swift` | `ATests/Other.swift` |",
        "| MQTT-1.5.3-1 | both | Words. | client | | |",
        "| MQTT-1.5.3-1 | both | Words. | whole | | |",
        "| MQTT-1.5.3-1 | both | Words. | not offered | | |",
        "| MQTT-1.5.3-1 | both | Words. | not yet | | |",
        "| MQTT-1.5.3-1 | both | Words. | soon | | |",
        "| MQTT-1.5.3-1 | nobody | Words. | enforced | `A/One.swift` | `ATests/Vectors/a.json` |",
        "| MQTT-1.5.3-1 | both | | enforced | `A/One.swift` | `ATests/Vectors/a.json` |",
        "| MQTT-1.5.3-1 | both | \(String(repeating: "w", count: 121)) | enforced | `A/One.swift` | `ATests/Vectors/a.json` |",
    ])
    func aRowThatIsNotTrueIsFound(row: String) {
        let found = findings(replacing(0, row))
        #expect(!found.isEmpty)
        #expect(found.allSatisfy { $0.hasPrefix("MQTT-1.5.3-1: ") })
    }

    @Test func aRowOfAnotherFormIsFound() {
        for row in ["| MQTT-1.5.3-1 | both | Words. |", "| MQTT5-1.5.3-1 | both | Words. | not yet | | |"] {
            #expect(findings(replacing(0, row)).contains("no row of six cells with an id MQTT-…"))
        }
    }

    @Test func filesWithoutTheStatusForThemAreFound() {
        let row = "| MQTT-1.5.3-2 | client | Words. | client | `A/Two.swift` | |"
        #expect(findings(replacing(1, row)) == ["MQTT-1.5.3-2: names files, and is not called enforced"])
    }

    @Test(arguments: ["Sources/A/Three.swift", "Tests/ATests/Three.swift", "Tests/ATests/Vectors/three.json"])
    func aStatementThatIsInNoRowIsFound(path: String) {
        let stranger = TextFile(path: path, text: "// MQTT-1.5.3-11 and MQTT5-1.5.3-1")
        #expect(findings(Self.rows, code: Self.code + [stranger]) == ["MQTT-1.5.3-11 is not in Sources/A/Table.md"])
    }

    @Test func whatWaitsIsListed() {
        var patient = Self.standard
        patient.allowsNotYet = true
        let rows = replacing(0, "| MQTT-1.5.3-1 | both | Words. | not yet | | |")
        #expect(findings(rows, standard: patient) == [])
        #expect(statementsNotYet(TextFile(path: "Table.md", text: rows.joined(separator: "\n"))) == ["MQTT-1.5.3-1"])
    }
}
