import BrokerCore
import BrokerStore
import CremaTesting
import Foundation
import NIOCore
import Testing

/// The power is cut at moments all over what a store does: whatever it had reported as committed is there, and nothing that never was.
///
/// `CREMA_POWER_CUT_IMAGES` says how many images of the disk are opened (512 unless set), `CREMA_POWER_CUT_SEED` where the seeds begin.
@Suite(.timeLimit(.minutes(5))) struct PowerCutTests {
    private static let imagesOfOneSeed = 64
    private static let seeds: [UInt64] = {
        let environment = ProcessInfo.processInfo.environment
        let images = environment["CREMA_POWER_CUT_IMAGES"].flatMap(Int.init) ?? 512
        let first = environment["CREMA_POWER_CUT_SEED"].flatMap(UInt64.init) ?? 1
        return (0..<UInt64((max(1, images) + imagesOfOneSeed - 1) / imagesOfOneSeed)).map { first &+ $0 }
    }()

    @Test("What was committed outlives a power cut", arguments: seeds)
    func committedMeansCommitted(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let first = try await PowerCutTrace(seed: random.next(), steps: 30)
        var cuts = PowerCuts(first, images: Self.imagesOfOneSeed / 2, lies: false, &random)
        #expect(cuts.complaints == [], "seed \(seed)")
        // Once more, from what one of the cuts has left: a start is cut off, too.
        let survivor = try #require(cuts.survivors.randomElement(using: &random), "seed \(seed)")
        let second = try await PowerCutTrace(
            seed: random.next(), steps: 30, from: survivor.image, holding: survivor.state, retained: survivor.retained)
        let images = cuts.images
        cuts = PowerCuts(second, images: Self.imagesOfOneSeed / 2, lies: false, &random)
        #expect(cuts.complaints == [], "seed \(seed)")
        print("power cut: seed \(seed), \(images + cuts.images) images, \(first.events.count + second.events.count) events")
    }

    @Test("After a sync that failed nothing counts as safe that is not", arguments: 1...6 as ClosedRange<UInt64>)
    func aFailedSyncIsNotTrusted(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let trace = try await PowerCutTrace(seed: random.next(), steps: 30, syncsThatFail: 10)
        let cuts = PowerCuts(trace, images: Self.imagesOfOneSeed, lies: false, &random)
        #expect(cuts.complaints == [], "seed \(seed)")
    }

    @Test("A disk that does not sync is found out", arguments: [1, 2] as [UInt64])
    func aDiskThatLiesIsFoundOut(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let trace = try await PowerCutTrace(seed: random.next(), steps: 30)
        let cuts = PowerCuts(trace, images: Self.imagesOfOneSeed, lies: true, &random)
        #expect(cuts.complaints.count > Self.imagesOfOneSeed / 4)
    }
}

/// Images of the disk of one trace, each opened by a store.
private struct PowerCuts {
    var images = 0
    var complaints: [String] = []
    var survivors: [(image: [String: [UInt8]], state: KeptState, retained: [String: [UInt8]])] = []

    init(_ trace: PowerCutTrace, images: Int, lies: Bool, _ random: inout SeededRandom) {
        var disk = CuttableDisk(trace.found, lies: lies)
        var committed = 0
        var handedOver = 0
        for (place, event) in trace.events.enumerated() {
            switch event {
            case .disk(let step): disk.carryOut(step)
            case .lostSync(let name): disk.loseSync(of: name, &random)
            case .renewed(let name, let bytes): disk.replace(name, with: bytes)
            case .handedOver(let number): handedOver = number
            case .committed(let number): committed = max(committed, number)
            }
            // All over the trace, as evenly as can be.
            guard (place + 1) * images / trace.events.count > place * images / trace.events.count else { continue }
            let image = disk.afterPowerCut(&random)
            self.images += 1
            do {
                try open(image, of: trace, committed: committed, handedOver: handedOver, at: place)
            } catch {
                complaints.append("after event \(place): \(error)")
            }
        }
    }

    private mutating func open(
        _ image: [String: [UInt8]], of trace: PowerCutTrace, committed: Int, handedOver: Int, at place: Int
    ) throws {
        let fixture = StoreFixture()
        try fixture.put(image)
        let disk = WatchedDisk(fixture.directory) { step in if case .sync = step { .pretended } else { .carriedOut } }
        defer { withExtendedLifetime(disk) {} }
        let kept = RetainedStore(isKept: true)
        let store = try fixture.open(retained: kept, limits: PowerCutTrace.limits)
        let state = KeptState(store.takeSessions(), store.takeRecords())
        let complaint =
            store.setAside.isEmpty
            ? trace.complaint(state, kept, committed: committed, handedOver: handedOver) : "it was set aside as damaged"
        if let complaint {
            complaints.append("after event \(place), with \(committed) of \(handedOver) steps committed: \(complaint)")
        } else {
            var retained: [String: [UInt8]] = [:]
            for topic in StoreWorkload.topics {
                retained[topic] = kept.message(for: .init(string: topic)).map { Array($0.payload.readableBytesView) }
            }
            survivors.append((image, state, retained))
        }
    }
}
