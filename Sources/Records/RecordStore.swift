/// Keeps records beyond the life of the process (record 0020).
///
/// Whoever has something to keep hands over what it changed, and answers its caller after ``settle()``.
package protocol RecordStore: Sendable {
    /// Takes changes, which are carried out together and after those that were handed over before; never blocks.
    func append(_ changes: [RecordChange])

    /// Rises whenever something is handed over.
    var number: UInt64 { get }

    /// Whether nothing can be written for now: what needs the disk is to be refused.
    var isFailing: Bool { get }

    /// Whether nothing can be written and as much waits for it as may: what nobody was promised is not to be handed over then.
    var isFull: Bool { get }

    /// Returns when everything that was handed over so far is on disk; at once where the durability does not ask for that.
    ///
    /// - Throws: when the disk takes nothing. What was handed over may be written later all the same.
    func settle() async throws(NotKept)
}

/// The disk took nothing.
package struct NotKept: Error {
    package init() {}
}

/// A record whose bytes are as they were written and do not say what this version reads.
package struct UnreadableRecord: Error, CustomStringConvertible {
    package let description: String

    package init(_ what: String) { description = "a kept record cannot be read: \(what)" }
}
