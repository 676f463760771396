import Testing

/// The written style, enforced on this repository.
///
/// ``GateTests`` shows that each of these checks can fail.
@Suite struct TidyTests {
    private let repository: Repository

    init() async throws { repository = try await Repository() }

    @Test func theRepositoryIsFound() {
        #expect(repository.paths.contains("Package.swift"))
        #expect(repository.swiftSources.count > 1)
    }

    @Test func filesAreShort() { #expect(tooLongFiles(repository.swiftSources, limit: 400) == []) }

    @Test func functionsAreShort() { #expect(tooLongFunctions(repository.swiftSources, limit: 70) == []) }

    @Test func namesSayWhatIsInside() { #expect(badNames(repository.paths) == []) }

    @Test func whatTheCompilerCannotProveHasAReason() { #expect(missingReasons(repository.swiftSources) == []) }

    @Test func topicsBeginWithBytes() {
        #expect(charactersForBytes(repository.swiftSources.filter { $0.path.hasPrefix("Sources/") }) == [])
    }

    @Test func importsFollowTheArchitecture() {
        #expect(forbiddenImports(repository.swiftSources, allowed: allowedImports) == [])
    }

    @Test func thePackageFollowsTheArchitecture() throws {
        let manifest = try #require(repository.files.first { $0.path == "Package.swift" })
        #expect(forbiddenDependencies(manifest: manifest, allowed: allowedImports) == [])
    }

    @Test func nothingIsLeftUnfinished() { #expect(leftoverMarkers(repository.files) == []) }

    @Test func childrenAreNotStartedByFoundation() { #expect(foundationProcesses(repository.files) == []) }

    @Test func markdownHasOneTitle() { #expect(badTitles(repository.files) == []) }

    @Test func noKeyIsCommitted() { #expect(privateKeys(repository.files) == []) }

    @Test func noOutputIsCommitted() { #expect(trackedOutput(repository.paths) == []) }

    @Test func statementsAreCitedByTheirNumber() { #expect(badStatements(repository.files.filter(\.isSwift)) == []) }

    @Test(arguments: [ConformanceStandard.mqtt311, .mqtt5])
    func statementsAreKeptAndShown(standard: ConformanceStandard) throws {
        #expect(brokenConformance(standard, in: repository.files) == [])
        let article = try #require(repository.files.first { $0.path == standard.article })
        let waiting = statementsNotYet(article)
        if waiting.isEmpty { return }
        print("\(standard.article): \(waiting.count) of \(standard.count) not yet: \(waiting.joined(separator: " "))")
    }

    @Test func threatsAreKeptOutAndShown() { #expect(brokenThreats(repository.files, wanted: threatsOfBrokers) == []) }

    @Test func testsAreLaidOutLikeSources() throws {
        let outer = try #require(repository.files.first { $0.path == ".swift-format" })
        let nested = try #require(repository.files.first { $0.path == "Tests/.swift-format" })
        let relaxed: Set = ["NeverForceUnwrap", "NeverUseForceTry", "NeverUseImplicitlyUnwrappedOptionals"]
        #expect(try differingLayout(outer, nested, relaxed: relaxed) == [])
    }
}
