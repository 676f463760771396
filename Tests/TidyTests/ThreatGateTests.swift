import Testing

/// The check of the page of threats on pages that are wrong.
@Suite struct ThreatGateTests {
    private let guardFile = TextFile(path: "Sources/Rules/A.swift", text: "")

    private func page(_ rows: String) -> TextFile {
        TextFile(path: threatsArticle, text: "# Threats\n\n| No. | Class | Kept out by | Shown by |\n|--:|---|---|---|\n\(rows)\n")
    }

    private func test(_ text: String, path: String = "Tests/RulesTests/ATests.swift") -> TextFile { TextFile(path: path, text: text) }

    private static let row = "| 7 | a class | `Rules/A.swift` | `RulesTests/ATests.swift` |"

    @Test(arguments: ["Threat 7: it is kept out", "(threat 7)", "Threats 3, 7", "Threats 7 and 3"])
    func aTestThatNamesItsRowIsFound(name: String) {
        #expect(brokenThreats([page(Self.row), guardFile, test(name)], wanted: [7]).filter { $0.reason.contains("no test") } == [])
    }

    @Test(arguments: ["", "Threat 70", "Threat seven", "threat to 7"])
    func aTestThatDoesNotNameItsRowIsFound(name: String) {
        let findings = brokenThreats([page(Self.row), guardFile, test(name)], wanted: [7])
        #expect(findings.first?.reason.contains("has no test of threat 7") == true)
    }

    @Test func whatIsMissingIsFound() {
        let test = test("Threat 7")
        #expect(brokenThreats([guardFile, test], wanted: [7]).map(\.reason) == ["is not there"])
        #expect(brokenThreats([page(Self.row), test], wanted: [7]).map(\.reason) == ["Sources/Rules/A.swift is not there"])
        #expect(brokenThreats([page(Self.row), guardFile, test], wanted: [7, 8]).map(\.reason) == ["row 8 is missing"])
        #expect(brokenThreats([page(Self.row + "\n" + Self.row), guardFile, test], wanted: [7]).map(\.reason) == ["row 7 is there twice"])
        let bare = "| 7 | a class | | `RulesTests/ATests.swift` |"
        #expect(brokenThreats([page(bare), test], wanted: [7]).map(\.reason) == ["row 7 has no guard or no test"])
        #expect(brokenThreats([page(Self.row), guardFile, test], wanted: [7]) == [])
    }

    @Test func aTestOfNoRowIsFound() {
        let other = test("Threat 9: something", path: "Tests/RulesTests/BTests.swift")
        let findings = brokenThreats([page(Self.row), guardFile, test("Threat 7"), other], wanted: [7])
        #expect(findings.map(\.path) == [other.path])
    }
}
