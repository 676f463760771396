/// The limits that a configuration may set, and the values that each may have.
package struct SettableLimits: Sendable, ExpressibleByArrayLiteral {
    package let names: [String]
    private let ranges: [String: ClosedRange<Int>]

    /// - Parameters:
    ///   - names: of the limits.
    ///   - ranges: the values of some, by their names; all others take any number from 1.
    package init(_ names: [String], ranges: [String: ClosedRange<Int>] = [:]) {
        self.names = names
        self.ranges = ranges
    }

    package init(arrayLiteral names: String...) { self.init(names) }

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
                try entry.value.integer("the limit \(entry.key)", in: ranges[entry.key] ?? 1...Int.max)
            }
        }
        try problems.finish()
        return values
    }
}
