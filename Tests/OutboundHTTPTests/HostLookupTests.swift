import EventBus
import Foundation
import Synchronization
import Testing

@testable import OutboundHTTP

/// A name server whose answers a test holds back.
private final class Resolver: Sendable {
    private let gates: [String: DispatchSemaphore]
    private let asked = Mutex<[String]>([])

    /// - Parameter hanging: hosts that are found only when they are let go.
    init(hanging: [String]) {
        gates = Dictionary(uniqueKeysWithValues: hanging.map { ($0, DispatchSemaphore(value: 0)) })
    }

    @Sendable func resolve(_ host: String) -> [InternetAddress] {
        asked.withLock { $0.append(host) }
        gates[host]?.wait()
        return host.hasPrefix("no-") ? [] : [InternetAddress("192.0.2.1")].compactMap(\.self)
    }

    func letGo() {
        for gate in gates.values { gate.signal() }
    }

    var questions: [String] { asked.withLock { $0 } }

    func wait(forQuestions count: Int) async throws {
        while questions.count < count { try await Task.sleep(for: .milliseconds(2)) }
    }
}

@Suite(.timeLimit(.minutes(2))) struct HostLookupTests {
    private static func failure(_ body: () async throws(HostLookupFailure) -> [InternetAddress]) async -> HostLookupFailure? {
        do throws(HostLookupFailure) { _ = try await body() } catch { return error }
        return nil
    }

    @Test func theSystemFindsAddresses() async throws {
        let lookup = HostLookup()
        #expect(try await lookup.addresses(of: "127.0.0.1") == [try #require(InternetAddress("127.0.0.1"))])
        #expect(try await lookup.addresses(of: "no-such-host.invalid").isEmpty)
        lookup.shutDown()
    }

    @Test func allWhoWaitForAHostShareOneLookup() async throws {
        let resolver = Resolver(hanging: ["shop.example"])
        let lookup = HostLookup(secondsMax: 60, resolve: resolver.resolve)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<40 { group.addTask { try await lookup.addresses(of: "shop.example").count } }
            try await resolver.wait(forQuestions: 1)
            // Those of another host are answered meanwhile.
            #expect(try await lookup.addresses(of: "other.example").count == 1)
            #expect(try await lookup.addresses(of: "no-host.example").isEmpty)
            resolver.letGo()
            for try await count in group { #expect(count == 1) }
        }
        #expect(resolver.questions.filter { $0 == "shop.example" }.count <= 2)
        lookup.shutDown()
    }

    @Test func aLookupThatHangsIsGivenUpAndItsHostRefusedByName() async throws {
        let resolver = Resolver(hanging: ["dead.example"])
        let lookup = HostLookup(secondsMax: 1, resolve: resolver.resolve)
        let first = await Self.failure { () async throws(HostLookupFailure) in try await lookup.addresses(of: "dead.example") }
        #expect(first == .tooSlow(host: "dead.example", seconds: 1))
        // At once, by its name, and without another thread.
        let second = await Self.failure { () async throws(HostLookupFailure) in try await lookup.addresses(of: "dead.example") }
        #expect(second == .hangs(host: "dead.example"))
        #expect(resolver.questions == ["dead.example"])
        resolver.letGo()
        lookup.shutDown()
    }

    @Test func hostsWhoseLookupHangsTakeNotAllThreads() async throws {
        let dead = (0..<40).map { "dead-\($0).example" }
        let resolver = Resolver(hanging: dead)
        let lookup = HostLookup(secondsMax: 60, resolve: resolver.resolve)
        #expect(try await lookup.addresses(of: "good.example").count == 1)
        let waiting = dead.map { host in Task { try await lookup.addresses(of: host) } }
        try await resolver.wait(forQuestions: 1 + HostLookupQueue.threads / 2)
        // A target that was found before is found all the same.
        #expect(try await lookup.addresses(of: "good.example").count == 1)
        lookup.shutDown()
        for task in waiting { if case .success = await task.result { Issue.record("it was found") } }
        resolver.letGo()
    }

    @Test func theStopWaitsForNoLookup() async throws {
        let resolver = Resolver(hanging: ["dead.example"])
        let lookup = HostLookup(secondsMax: 60, resolve: resolver.resolve)
        let waiting = Task { await Self.failure { () async throws(HostLookupFailure) in try await lookup.addresses(of: "dead.example") } }
        try await resolver.wait(forQuestions: 1)
        lookup.shutDown()
        #expect(await waiting.value == .stopped)
        let late = await Self.failure { () async throws(HostLookupFailure) in try await lookup.addresses(of: "good.example") }
        #expect(late == .stopped)
        // Only now its thread ends.
        resolver.letGo()
    }

    @Test func whoIsCancelledWaitsNoLonger() async throws {
        let resolver = Resolver(hanging: ["dead.example"])
        let lookup = HostLookup(secondsMax: 60, resolve: resolver.resolve)
        let waiting = Task { await Self.failure { () async throws(HostLookupFailure) in try await lookup.addresses(of: "dead.example") } }
        try await resolver.wait(forQuestions: 1)
        waiting.cancel()
        #expect(await waiting.value == .stopped)
        resolver.letGo()
        lookup.shutDown()
    }
}

@Suite struct HostLookupQueueTests {
    private typealias Waiter = HostLookupQueue.Waiter

    /// As many new hosts as may be looked up at once.
    private static func begun(_ queue: inout HostLookupQueue, _ prefix: String, count: Int) -> [HostLookupQueue.Run] {
        for number in 0..<count { #expect(queue.wait(Waiter(number: UInt64(number)), for: "\(prefix)\(number)") == true) }
        var runs: [HostLookupQueue.Run] = []
        while let run = queue.next() { runs.append(run) }
        return runs
    }

    @Test func eachKindOfHostHasItsThreads() {
        var queue = HostLookupQueue()
        let new = Self.begun(&queue, "new", count: 20)
        #expect(new.map(\.host) == (0..<8).map { "new\($0)" })
        // Four of them are found, four take too long.
        for run in new.prefix(4) { #expect(queue.ended(run, found: true).count == 1) }
        for run in new.suffix(4) { #expect(queue.tookTooLong(run).count == 1) }
        #expect(queue.standing(of: "new0") == .found && queue.standing(of: "new7") == .slow)
        #expect(queue.wait(Waiter(number: 90), for: "new7") == false)
        var more: [String] = []
        while let run = queue.next() { more.append(run.host) }
        #expect(more == (8..<12).map { "new\($0)" })
        // Those that were found have the rest.
        for host in 0..<4 { #expect(queue.wait(Waiter(number: 100), for: "new\(host)") == true) }
        more = []
        while let run = queue.next() { more.append(run.host) }
        #expect(more == (0..<4).map { "new\($0)" })
    }

    @Test func slowHostsHaveFewThreads() {
        var queue = HostLookupQueue()
        let runs = Self.begun(&queue, "host", count: 8)
        for run in runs {
            #expect(queue.tookTooLong(run).count == 1)
            #expect(queue.ended(run, found: true).isEmpty)
        }
        #expect(Self.begun(&queue, "host", count: 8).count == 4)
        // New ones have theirs beside them.
        #expect(Self.begun(&queue, "new", count: 8).count == 4)
    }

    @Test func nobodyIsLookedUpForNobody() {
        var queue = HostLookupQueue()
        for number in 1...2 { #expect(queue.wait(Waiter(number: UInt64(number)), for: "a") == true) }
        queue.giveUp(Waiter(number: 1), of: "a")
        queue.giveUp(Waiter(number: 2), of: "a")
        #expect(queue.next() == nil)
    }

    @Test func fewHostsAreRemembered() {
        var queue = HostLookupQueue()
        for number in 0..<(HostLookupQueue.rememberedMax + 10) {
            #expect(queue.wait(Waiter(number: 1), for: "\(number)") == true)
            if let run = queue.next() { _ = queue.ended(run, found: true) }
        }
        let known = (0..<(HostLookupQueue.rememberedMax + 10)).filter { queue.standing(of: "\($0)") == .found }
        #expect(known.count == HostLookupQueue.rememberedMax)
    }
}
