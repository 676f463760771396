import CremaTesting

/// A disk with what was written to it and what of that is safe, so that its power can be cut at any moment.
///
/// What was synced is there afterwards. Of what was not, any part may be, torn at sectors, whatever came before it or after it; so it is with names of
/// files whose directory was not synced.
struct CuttableDisk {
    private static let sectorBytes = 512

    private enum Change {
        case write(at: Int, [UInt8])
        case truncate(to: Int)
    }

    private struct File {
        var safe: [UInt8] = []
        var since: [Change] = []
    }

    /// Syncs do nothing: the disk that a test has to find out.
    private let lies: Bool
    private var files: [File] = []
    private var names: [String: Int] = [:]
    private var safeNames: [String: Int] = [:]
    private var namesSince: [(name: String, file: Int?)] = []

    init(_ found: [String: [UInt8]], lies: Bool = false) {
        self.lies = lies
        for (name, bytes) in found {
            names[name] = files.count
            files.append(File(safe: bytes))
        }
        safeNames = names
    }

    mutating func carryOut(_ step: DiskStep) {
        switch step {
        case .create(let name):
            names[name] = files.count
            namesSince.append((name, files.count))
            files.append(File())
        case .write(let name, let offset, let bytes): change(name, .write(at: offset, bytes))
        case .truncate(let name, let size): change(name, .truncate(to: size))
        case .sync(let name, let withDirectory):
            if lies { return }
            if let file = names[name] {
                for change in files[file].since { Self.apply(change, to: &files[file].safe) }
                files[file].since = []
            }
            if withDirectory { syncDirectory() }
        case .delete(let name, let withDirectory):
            names[name] = nil
            namesSince.append((name, nil))
            if withDirectory, !lies { syncDirectory() }
        }
    }

    /// A sync that fails: what of it is on the disk nobody knows, and nothing of it will be tried again.
    mutating func loseSync(of name: String, _ random: inout SeededRandom) {
        guard !lies, let file = names[name] else { return }
        for change in files[file].since {
            for part in Self.sectors(of: change) where random.happens(percent: 50) { Self.apply(part, to: &files[file].safe) }
        }
        files[file].since = []
    }

    /// Another file has taken the name, and both are safe.
    mutating func replace(_ name: String, with bytes: [UInt8]) {
        names[name] = files.count
        files.append(File(safe: bytes))
        if !lies { syncDirectory() }
    }

    private mutating func change(_ name: String, _ change: Change) {
        if let file = names[name] { files[file].since.append(change) }
    }

    private mutating func syncDirectory() {
        safeNames = names
        namesSince = []
    }

    private static func apply(_ change: Change, to bytes: inout [UInt8]) {
        switch change {
        case .write(let offset, let new):
            if bytes.count < offset + new.count { bytes += Array(repeating: 0, count: offset + new.count - bytes.count) }
            bytes.replaceSubrange(offset..<(offset + new.count), with: new)
        case .truncate(let size): bytes.removeLast(max(0, bytes.count - size))
        }
    }

    /// What is found after a power cut: one of many possibilities.
    func afterPowerCut(_ random: inout SeededRandom) -> [String: [UInt8]] {
        let survives = [0, 10, 50, 90, 100].randomElement(using: &random) ?? 50
        let isTorn = random.happens(percent: 60)
        // A sector that was being written may hold anything.
        let garbage = random.happens(percent: 30) ? 20 : 0
        var found = safeNames
        for (name, file) in namesSince where random.happens(percent: survives) { found[name] = file }
        var image: [String: [UInt8]] = [:]
        for (name, file) in found.sorted(by: { $0.key < $1.key }) {
            var bytes = files[file].safe
            for change in files[file].since {
                for part in isTorn ? Self.sectors(of: change) : [change] {
                    if random.happens(percent: survives) {
                        Self.apply(part, to: &bytes)
                    } else if case .write(let offset, let lost) = part, random.happens(percent: garbage) {
                        Self.apply(.write(at: offset, lost.map { _ in UInt8.random(in: 0...255, using: &random) }), to: &bytes)
                    }
                }
            }
            image[name] = bytes
        }
        return image
    }

    private static func sectors(of change: Change) -> [Change] {
        guard case .write(let offset, let bytes) = change else { return [change] }
        var parts: [Change] = []
        var place = 0
        while place < bytes.count {
            let end = min(bytes.count, ((offset + place) / sectorBytes + 1) * sectorBytes - offset)
            parts.append(.write(at: offset + place, Array(bytes[place..<end])))
            place = end
        }
        return parts
    }
}
