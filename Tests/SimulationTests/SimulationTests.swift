import Foundation
import Testing

/// The core against a bad network.
///
/// `CREMA_SEEDS` sets how many worlds are tried; `CREMA_SEED` repeats one of them, with its history, and `CREMA_CRASH_SEED` one with crashes.
@Suite struct SimulationTests {
    @Test func promisesHoldInEveryWorld() throws {
        let environment = ProcessInfo.processInfo.environment
        if let text = environment["CREMA_SEED"], let seed = UInt64(text) {
            let world = SimulatedWorld(seed: seed, hasStore: seed % 2 == 0)
            defer { print(world.history.joined(separator: "\n")) }
            try world.run(steps: SimulatedWorld.steps)
            return
        }
        let seeds = environment["CREMA_SEEDS"].flatMap { UInt64($0) } ?? 2_000
        for seed in 1...max(1, seeds) {
            let world = SimulatedWorld(seed: seed, hasStore: seed % 2 == 0)
            do { try world.run(steps: SimulatedWorld.steps) } catch {
                Issue.record(
                    """
                    seed \(seed): \(error)
                    repeat with CREMA_SEED=\(seed) SWIFT_DETERMINISTIC_HASHING=1; its last steps:
                    \(world.history.suffix(40).joined(separator: "\n"))
                    """)
                return
            }
        }
        print("\(seeds) simulated worlds kept every promise")
    }

    @Test func nothingAcknowledgedIsLostInACrash() throws {
        let environment = ProcessInfo.processInfo.environment
        if let text = environment["CREMA_CRASH_SEED"], let seed = UInt64(text) {
            let world = CrashWorld(seed: seed)
            defer { print(world.history.joined(separator: "\n")) }
            return try world.run()
        }
        // A quarter: every crash builds a broker anew, with all that was kept.
        let seeds = (environment["CREMA_SEEDS"].flatMap { UInt64($0) } ?? 2_000) / 4
        for seed in 1...max(1, seeds) {
            let world = CrashWorld(seed: seed)
            do { try world.run() } catch {
                Issue.record(
                    """
                    seed \(seed): \(error)
                    repeat with CREMA_CRASH_SEED=\(seed) SWIFT_DETERMINISTIC_HASHING=1; its last steps:
                    \(world.history.suffix(40).joined(separator: "\n"))
                    """)
                return
            }
        }
        print("\(seeds) simulated worlds lost nothing in their crashes")
    }
}
