import Foundation

/// Runs many simulated worlds: `Campaign FIRST LAST`, by seed; one seed alone tells its whole history when it fails.
@main
enum Campaign {
    static func main() {
        let seeds = CommandLine.arguments.dropFirst().compactMap { UInt64($0) }
        guard seeds.count == 2, seeds[0] <= seeds[1] else {
            print("usage: Campaign FIRST LAST")
            exit(2)
        }
        for seed in seeds[0]...seeds[1] {
            let world = SimulatedWorld(seed: seed, hasStore: seed % 2 == 0)
            attempt(seed, { try world.run(steps: SimulatedWorld.steps) }, history: { world.history }, isAlone: seeds[0] == seeds[1])
            let crashing = CrashWorld(seed: seed)
            attempt(seed, { try crashing.run() }, history: { crashing.history }, isAlone: seeds[0] == seeds[1])
        }
        print("seeds \(seeds[0]) to \(seeds[1]): every promise was kept")
    }

    private static func attempt(_ seed: UInt64, _ run: () throws -> Void, history: () -> [String], isAlone: Bool) {
        do { try run() } catch {
            print(history().suffix(isAlone ? 400 : 40).joined(separator: "\n"))
            print("seed \(seed): \(error)")
            exit(1)
        }
    }
}
