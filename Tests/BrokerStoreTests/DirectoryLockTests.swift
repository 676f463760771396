import BrokerStore
import Foundation
import Synchronization
import Testing

/// Who gets the data directory, and who does not.
@Suite(.timeLimit(.minutes(2))) struct DirectoryLockTests {
    /// Somebody else in the process, who opens and closes a file of their own, on a thread of their own.
    private final class Neighbour: Sendable {
        private let rounds = Atomic(0)
        private let isOver = Atomic(false)
        private let hasEnded = Atomic(false)
        private let lost = Atomic(0)

        init() { Thread.detachNewThread { self.work() } }

        var hasBegun: Bool { rounds.load(ordering: .relaxed) > 0 }

        /// How many of the files were closed by others.
        func end() async throws -> Int {
            isOver.store(true, ordering: .relaxed)
            while !hasEnded.load(ordering: .acquiring) { try await Task.sleep(for: .milliseconds(1)) }
            return lost.load(ordering: .relaxed)
        }

        private func work() {
            while !isOver.load(ordering: .relaxed) {
                let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
                rounds.add(1, ordering: .relaxed)
                guard descriptor >= 0 else { continue }
                for _ in 0..<10 { sched_yield() }
                if close(descriptor) != 0 { lost.add(1, ordering: .relaxed) }
            }
            hasEnded.store(true, ordering: .releasing)
        }
    }

    @Test("Whoever is refused closes no file of somebody else")
    func refusalClosesOnce() async throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        defer { store.close() }
        let neighbour = Neighbour()
        while !neighbour.hasBegun { try await Task.sleep(for: .milliseconds(1)) }
        for _ in 0..<20_000 { #expect(throws: StoreError.self) { _ = try fixture.open() } }
        #expect(try await neighbour.end() == 0)
    }
}
