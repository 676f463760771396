/// Where what outlives the process is kept, and what an answer to a client promises of it.
package struct StoreConfiguration: Sendable, Equatable {
    /// When answers leave that promise something to outlive the process.
    package enum Durability: Sendable, Equatable {
        /// At once; it is on disk after at most so many milliseconds.
        case relaxed(milliseconds: Int)
        /// When it is on disk.
        case strict
    }

    /// Milliseconds that `relaxed` takes.
    static let relaxedMilliseconds = 1...60_000

    /// The directory, relative to the working directory.
    package var directory: String
    package var durability: Durability
    package var location: SourceLocation

    /// Reads `data` and `durability`; `nil` when everything is to be in memory.
    init?(_ root: Node, paths: RelativePaths) throws(DocumentError) {
        let durability = try root["durability"].map { (node) throws(DocumentError) in try Self.durability(node) } ?? .some(.strict)
        guard let data = root.entry("data") else {
            if let asked = root.entry("durability"), durability != nil {
                throw DocumentError(
                    "`durability` says that sessions outlive a crash, and there is no `data`: name a directory there, or say `memory`",
                    at: asked.keyLocation)
            }
            return nil
        }
        let directory = try data.value.text("data")
        guard !directory.isEmpty else { throw DocumentError("`data` must name a directory", at: data.value.location) }
        guard let durability else {
            throw DocumentError(
                "`durability: memory` keeps nothing, and `data` names a directory: remove one of the two", at: data.keyLocation)
        }
        self.directory = paths.resolve(directory)
        self.durability = durability
        location = data.keyLocation
    }

    /// `nil` for `memory`.
    private static func durability(_ node: Node) throws(DocumentError) -> Durability? {
        let text = try node.text("durability")
        switch text {
        case "strict": return .strict
        case "memory": return nil
        default:
            if text.hasPrefix("relaxed("), text.hasSuffix(")"), let milliseconds = Int(text.dropFirst(8).dropLast()),
                relaxedMilliseconds.contains(milliseconds)
            {
                return .relaxed(milliseconds: milliseconds)
            }
            throw DocumentError(
                "`durability` must be `strict`, `relaxed(MS)` with 1 to \(relaxedMilliseconds.upperBound) milliseconds, or `memory`",
                at: node.location)
        }
    }
}
