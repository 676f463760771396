import Documents

/// How long and how often a failed delivery is tried again; whichever limit is reached first ends it.
package struct RetryPolicy: Sendable, Equatable {
    /// How many attempts a target may ask for: the service's bounds.
    package static let attemptsBounds = 0...185
    /// How many seconds a target may ask for: the service's bounds.
    package static let ageBounds = 60...86_400

    /// Attempts after the first one.
    var maximumRetryAttempts = RetryPolicy.attemptsBounds.upperBound
    /// Counted from when the event was put on its bus.
    var maximumEventAgeSeconds = RetryPolicy.ageBounds.upperBound

    /// What holds for the actions of topic rules, of which a template cannot say it: a device's message is soon old.
    static let ofTopicRules = RetryPolicy(maximumRetryAttempts: 3, maximumEventAgeSeconds: 60)

    /// What holds for functions that topic rules call: asynchronous invocation keeps what waits for its function for 6 hours.
    static let ofTopicRuleFunctions = RetryPolicy(maximumRetryAttempts: 3, maximumEventAgeSeconds: 21_600)
}

extension RetryPolicy {
    /// Reads a target's `RetryPolicy`.
    ///
    /// - Throws: for a value that the service refuses, too.
    init(_ node: Node, what: String) throws(DocumentError) {
        self.init()
        var problems = ProblemCollector()
        _ = problems.collect { () throws(DocumentError) in
            try refuseUnknown(node, what: what, known: ["MaximumRetryAttempts", "MaximumEventAgeInSeconds"])
        }
        func read(_ name: String, _ bounds: ClosedRange<Int>) -> Int {
            guard let value = node[name] else { return bounds.upperBound }
            let number = problems.collect { () throws(DocumentError) in try value.integer("\(what): \(name)", in: bounds) }
            return number ?? bounds.upperBound
        }
        maximumRetryAttempts = read("MaximumRetryAttempts", Self.attemptsBounds)
        maximumEventAgeSeconds = read("MaximumEventAgeInSeconds", Self.ageBounds)
        try problems.finish()
    }
}

/// Which limit of a ``RetryPolicy`` ended the trying, in the service's words.
package enum RetryExhaustion: String, Sendable {
    case attempts = "MaximumRetryAttempts"
    case age = "MaximumEventAgeInSeconds"
}

/// Whether what failed may succeed later.
enum RetryAdvice: Equatable {
    case never
    /// Not before this many milliseconds have passed, where the target says so.
    case later(afterMilliseconds: Int64? = nil)
    /// A function that ran and failed is run again a few times, with waits of their own, as asynchronous invocation does.
    case rerun
    /// The target was not asked: the disk takes nothing. That is no attempt, and no time that passed.
    case whenStoreWrites
}
