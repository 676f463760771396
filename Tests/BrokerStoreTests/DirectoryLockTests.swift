import BrokerStore
import Foundation
import Synchronization
import Testing

/// Who gets the data directory, and who does not.
@Suite struct DirectoryLockTests {
    /// Somebody else in the process, who opens and closes a file of their own.
    private final class Neighbour: Sendable {
        private let isOver = Atomic(false)
        private let lost = Atomic(0)

        var lostFiles: Int { lost.load(ordering: .relaxed) }

        func end() { isOver.store(true, ordering: .relaxed) }

        func work() {
            while !isOver.load(ordering: .relaxed) {
                let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
                for _ in 0..<10 { sched_yield() }
                if close(descriptor) != 0 { lost.add(1, ordering: .relaxed) }
            }
        }
    }

    @Test("Whoever is refused closes no file of somebody else")
    func refusalClosesOnce() async throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        defer { store.close() }
        let neighbour = Neighbour()
        async let work: Void = neighbour.work()
        for _ in 0..<20_000 { #expect(throws: StoreError.self) { _ = try fixture.open() } }
        neighbour.end()
        await work
        #expect(neighbour.lostFiles == 0)
    }
}
