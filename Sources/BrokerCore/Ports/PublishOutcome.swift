/// What became of messages that the rest of the program published.
package enum PublishOutcome: Sendable, Equatable {
    /// They are routed, and what they led to is on disk as far as it has to be; where answers do not wait for the disk, the store has been
    /// handed it.
    case kept
    /// They are routed, and the disk takes nothing: a crash may undo what of it was to be kept. The store has been handed it.
    case notKept
    /// The broker stops: they are not routed.
    case refused

    /// The worse one of two.
    package func joined(with other: PublishOutcome) -> PublishOutcome {
        switch (self, other) {
        case (.refused, _), (_, .refused): .refused
        case (.notKept, _), (_, .notKept): .notKept
        case (.kept, .kept): .kept
        }
    }
}
