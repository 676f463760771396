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
            let world = SimulatedWorld(seed: seed)
            do { try world.run(steps: SimulatedWorld.steps) } catch {
                print(world.history.suffix(seeds[0] == seeds[1] ? 400 : 40).joined(separator: "\n"))
                print("seed \(seed): \(error)")
                exit(1)
            }
        }
        print("seeds \(seeds[0]) to \(seeds[1]): every promise was kept")
    }
}
