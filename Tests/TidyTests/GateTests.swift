import Testing

/// Each check of ``TidyTests`` on a bad example, so that no gate is one that always passes.
@Suite struct GateTests {
    private func source(_ text: String, path: String = "Sources/Rules/Bad.swift") -> [TextFile] { [TextFile(path: path, text: text)] }

    @Test func aLongFileIsFound() {
        let line = "let x = 1\n"
        #expect(tooLongFiles(source(String(repeating: line, count: 400)), limit: 400) == [])
        #expect(tooLongFiles(source(String(repeating: line, count: 401)), limit: 400).count == 1)
    }

    @Test(arguments: [
        "func run() {", "init?(\n    a: Int\n) {", "subscript(i: Int) -> Int {", "package func run(x: () -> Void = {}) async {",
    ])
    func aLongFunctionIsFound(opening: String) {
        let body = String(repeating: "    work(\"}\") // {\n", count: 69)
        let header = opening.count { $0 == "\n" }
        let text = "struct S {\n    \(opening)\n\(body)    }\n}\n"
        #expect(tooLongFunctions(source(text), limit: 70 + header).map(\.line) == [2])
        #expect(tooLongFunctions(source(text), limit: 71 + header) == [])
    }

    @Test func functionsEndAtTheirOwnBrace() {
        let text = """
            protocol P {
                func required(_ a: Int)
                var value: Int { get }
                init(b: Int)
            }
            struct S {
                func outer() {
                    let text = "\\(values.map { "{" })"
                    func inner() {
                        S.init()
                    }
                }
                deinit {
                }
            }
            """
        let found = functions(in: SwiftText(text))
        #expect(found == [.init(firstLine: 7, lastLine: 12), .init(firstLine: 9, lastLine: 11), .init(firstLine: 13, lastLine: 14)])
    }

    @Test(arguments: [
        "let a = \"x // y { \\\" \" + b", "let a = #\"\\ \" { \"# + b", "/* { /* \" */ } */ let a = + b",
        "let a = \"\"\"\n {\"\n\"\"\" + b",
        "let a = \"\\(c(\"}\"))\" + b // {",
    ])
    func literalsAndCommentsAreNotCode(text: String) {
        let code = SwiftText(text)
        #expect(code.characters.count == text.count)
        #expect(!code.characters.contains("{") && !code.characters.contains("}") && !code.characters.contains("\""))
        #expect(String(code.characters).contains("+ b"))
    }

    @Test(arguments: [
        "Sources/A/Utils/B.swift", "Sources/A/StringHelpers.swift", "Sources/common/A.swift", "Sources/A/SessionManager.swift",
        "Sources/A/String+Extensions.swift", "docs/a file.md",
    ])
    func aBadNameIsFound(path: String) { #expect(badNames([path]).count == 1) }

    @Test func aGoodNameIsLeftAlone() { #expect(badNames(["Sources/BrokerCore/Routing/TopicIndex.swift", "Tests/.swift-format"]) == []) }

    @Test(arguments: [
        "final class A: @unchecked Sendable {}", "nonisolated(unsafe) let a = 1", "let a = try! b()", "let a = b as! C", "let a = b!",
        "let a = b()!.c", "var a: B!", "let a = \"\\(b!)\"",
    ])
    func aMissingReasonIsFound(code: String) {
        #expect(missingReasons(source("let z = 0\n" + code + "\n")).count == 1)
        #expect(missingReasons(source("// Because.\n" + code + "\n")) == [])
        #expect(missingReasons(source("// Because.\n@available(*, deprecated)\n" + code + "\n")) == [])
    }

    @Test(arguments: ["let a = !b", "if a != b {}", "let a = \"b!\"", "// a!", "f(!a, [!b])", "let a = b!=c"])
    func aNegationNeedsNoReason(code: String) { #expect(missingReasons(source(code)) == []) }

    @Test(arguments: [
        "if topic.hasPrefix(\"$\") {", "guard a.hasPrefix(\"topic/\") else", "a.hasPrefix(BasicIngest.prefix)", "!s.hasPrefix(\"aws.\")",
    ])
    func aTopicByCharactersIsFound(line: String) {
        #expect(charactersForBytes(source(line)).count == 1)
        #expect(charactersForBytes(source("topic.utf8.first == UInt8(ascii: \"$\") || text.hasPrefix(\"x-\")")) == [])
    }

    @Test(arguments: ["import Foundation", "package import NIOCore", "import struct Foundation.Data", "@preconcurrency import Glibc"])
    func aForbiddenImportIsFound(line: String) {
        #expect(forbiddenImports(source(line), allowed: ["Rules": []]).count == 1)
        #expect(forbiddenImports(source(line), allowed: ["Rules": ["Foundation", "NIOCore", "Glibc"]]) == [])
    }

    @Test func anUnknownTargetIsFound() {
        #expect(forbiddenImports(source("import Synchronization"), allowed: [:]).count == 1)
        #expect(forbiddenImports(source("import Synchronization"), allowed: ["Rules": []]) == [])
    }

    @Test func aForbiddenDependencyIsFound() {
        let manifest = TextFile(
            path: "Package.swift",
            text: """
                let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
                .systemLibrary(name: "C", pkgConfig: "c", providers: [.apt(["c"])]),
                .target(name: "A"),
                .target(
                    name: "B",
                    dependencies: ["A", nio, .product(name: "Yams", package: "Yams")]
                ),
                .testTarget(name: "BTests", dependencies: ["B"]),
                """)
        #expect(declaredDependencies(manifest.text) == ["C": [], "A": [], "B": ["A", "NIOCore", "Yams"]])
        #expect(forbiddenDependencies(manifest: manifest, allowed: ["A": [], "B": ["A", "NIOCore", "Yams"], "C": []]) == [])
        #expect(forbiddenDependencies(manifest: manifest, allowed: ["A": [], "B": ["A", "Yams"], "C": []]).count == 1)
        #expect(forbiddenDependencies(manifest: manifest, allowed: ["A": [], "B": ["A", "NIOCore", "Yams"], "D": []]).count == 2)
    }

    @Test(arguments: ["// TO" + "DO: later", "FIX" + "ME", "a XX" + "X b", "fatalError(\"not " + "implemented yet\")"])
    func unfinishedWorkIsFound(line: String) { #expect(leftoverMarkers(source(line)).count == 1) }

    @Test func unfinishedWorkIsAWord() { #expect(leftoverMarkers(source("let XX" + "XL = 1")) == []) }

    @Test(arguments: ["let child = Process" + "()", "let child=Process" + "()"])
    func aChildOfFoundationIsFound(line: String) { #expect(foundationProcesses(source(line)).count == 1) }

    @Test(arguments: ["text\n# Late\n", "# One\n\n# Two\n", "## Only a section\n", ""])
    func aBadTitleIsFound(text: String) { #expect(badTitles(source(text, path: "README.md")).count == 1) }

    @Test func aCommentInAFenceIsNoTitle() {
        #expect(badTitles(source("# One\n```sh\n# not two\n```\n", path: "README.md")) == [])
    }

    @Test func aPrivateKeyIsFound() {
        let header = "-----BEGIN EC PRIVATE" + " KEY-----"
        #expect(privateKeys(source(header + "\n" + String(repeating: "Ab1+", count: 16) + "\n")).count == 1)
        #expect(privateKeys(source("let header = \"\(header)\"\nlet other = 1\n")) == [])
    }

    @Test(arguments: [".build/a", "Benchmarks/.build-x/a", "certs/server.key", "Package.resolved", "Tests/__pycache__/a.pyc"])
    func outputIsFound(path: String) { #expect(trackedOutput([path]).count == 1) }

    @Test(arguments: ["-3.3.2", "-3.3.2-0", "-3.1.2.1", "-8.1.1-1", "-3.1.2-x", "- 3.1.2-1", "4-3.1.2-1", " -3.1.2-1", "5-3.1-2"])
    func aMisspelledStatementIsFound(name: String) { #expect(badStatements(source("// [MQ" + "TT\(name)]")).count == 1) }

    @Test(arguments: ["-1.5.3-1", "-2.3.1-7", "5-3.1.2-30", "-3.14.4-3", "5-4.12.0-7", "-6.0.0-1", "-7.1.1-1", "Codec]", " 5]"])
    func aStatementIsAccepted(name: String) { #expect(badStatements(source("// [MQ" + "TT\(name)]")) == []) }

    @Test func otherBracketsAreNoStatements() { #expect(badStatements(source("[MQTT" + "Packet] [MQTT" + "](https://mqtt.org)")) == []) }

    @Test func aDifferentLayoutIsFound() throws {
        let outer = TextFile(path: ".swift-format", text: #"{"lineLength": 140, "rules": {"A": true, "B": true}}"#)
        let nested = TextFile(path: "Tests/.swift-format", text: #"{"lineLength": 140, "rules": {"A": false, "B": true}}"#)
        #expect(try differingLayout(outer, nested, relaxed: ["A"]) == [])
        #expect(try differingLayout(outer, nested, relaxed: ["B"]).count == 1)
    }
}
