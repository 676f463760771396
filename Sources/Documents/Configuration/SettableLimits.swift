/// The limits that a configuration may set, and the values that each may have.
package struct SettableLimits: Sendable, ExpressibleByArrayLiteral {
    /// The most that a limit can be which has no range of its own: beyond anything that a machine has, and far from where arithmetic ends.
    package static let valueMax = 1 << 40
    /// Likewise of one that counts seconds, which are counted in nanoseconds somewhere.
    package static let secondsMax = Int(Int32.max)

    package let names: [String]
    private let ranges: [String: ClosedRange<Int>]

    /// - Parameters:
    ///   - names: of the limits.
    ///   - ranges: the values of some, by their names; all others take any number from 1 to ``valueMax``, or to ``secondsMax`` when seconds are in the name.
    package init(_ names: [String], ranges: [String: ClosedRange<Int>] = [:]) {
        self.names = names
        self.ranges = ranges
    }

    package init(arrayLiteral names: String...) { self.init(names) }

    private func range(of name: String) -> ClosedRange<Int> {
        ranges[name] ?? 1...(name.contains("Seconds") ? Self.secondsMax : Self.valueMax)
    }

    /// Reads `limits`.
    ///
    /// - Throws: for each name that there is not, and for each value that its limit cannot have.
    func read(_ section: Node) throws(DocumentError) -> [String: Int] {
        var problems = ProblemCollector()
        var values: [String: Int] = [:]
        for entry in try section.entries("limits") {
            guard names.contains(entry.key) else {
                problems.add("there is no limit `\(entry.key)`\(suggestion(for: entry.key, among: names))", at: entry.keyLocation)
                continue
            }
            values[entry.key] = problems.collect { () throws(DocumentError) in
                try entry.value.integer("the limit \(entry.key)", in: range(of: entry.key))
            }
        }
        try problems.finish()
        return values
    }
}
