/// The numbers or the addresses of an event, path by path in order: ranges of them are found without looking at the others.
struct OrderedValues<Number: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable {
    private struct Entry: Sendable {
        let number: Number
        /// The position among all values.
        let value: Int32
    }

    private var entries: [Entry] = []
    /// Where the entries of one path end.
    private var ends: [Int] = []

    var isEmpty: Bool { ends.isEmpty }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }

    mutating func append(_ number: Number, value: Int32) { entries.append(Entry(number: number, value: value)) }

    /// Puts what was appended since the last time in order, and returns by which number it is known.
    mutating func endPath() -> Int32 {
        let start = ends.last ?? 0
        if entries.count - start > 1 { entries[start...].sort { $0.number < $1.number } }
        ends.append(entries.count)
        return Int32(truncatingIfNeeded: ends.count - 1)
    }

    private func bounds(_ path: Int32) -> (start: Int, end: Int) { (path == 0 ? 0 : ends[Int(path) - 1], ends[Int(path)]) }

    /// The numbers of a path in ascending order.
    func copy(_ path: Int32, into numbers: inout [Number]) {
        let (start, end) = bounds(path)
        for index in start..<end { numbers.append(entries[index].number) }
    }

    /// Calls `body` with the positions of a path's values in a range until it says that it has seen enough; answers whether it has not.
    @inline(__always)
    func forEach(of path: Int32, in range: ClosedRange<Number>, _ body: (Int32) -> Bool) -> Bool {
        let (start, end) = bounds(path)
        var (low, high) = (start, end)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].number < range.lowerBound { low = middle + 1 } else { high = middle }
        }
        while low < end, entries[low].number <= range.upperBound {
            if !body(entries[low].value) { return false }
            low += 1
        }
        return true
    }
}
