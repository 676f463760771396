/// A delivery that failed for good, with what an operator needs to understand and repeat it.
package struct DeadLetter: Sendable, Equatable {
    /// Milliseconds since 1970.
    package var timeMilliseconds: Int64
    package var rule: String
    /// The bus of an event rule; `nil` for a topic rule.
    package var bus: String?
    /// The target's identifier, or the name of a topic rule's action.
    package var target: String
    package var errorCode: String
    package var errorMessage: String
    /// JSON: the event, or for a topic rule the document that AWS IoT hands to an error action.
    package var event: [UInt8]
    package var trying = RetryRecord.none
}

/// How often a delivery was tried again, and what ended that.
package struct RetryRecord: Sendable, Equatable {
    package var retries = 0
    /// `nil` where trying again was of no use.
    package var exhaustion: RetryExhaustion?

    package static let none = RetryRecord()
}

/// The latest dead letters, bounded in number and bytes.
struct DeadLetterQueue {
    private let countMax: Int
    private let bytesMax: Int
    /// In order of time; those before `first` are gone already and removed together, so that each costs little.
    private var letters: [DeadLetter?] = []
    private var first = 0
    private var bytes = 0

    init(countMax: Int, bytesMax: Int) {
        self.countMax = countMax
        self.bytesMax = bytesMax
    }

    private var count: Int { letters.count - first }

    /// Keeps a letter, and answers how many had to go for it: the oldest, or the letter itself where it alone is too large.
    mutating func append(_ letter: DeadLetter) -> Int {
        guard letter.event.count <= bytesMax, countMax > 0 else { return 1 }
        var dropped = 0
        while count >= countMax || bytes + letter.event.count > bytesMax {
            removeOldest()
            dropped += 1
        }
        letters.append(letter)
        bytes += letter.event.count
        return dropped
    }

    /// The newest letters, newest first.
    func newest(limit: Int) -> [DeadLetter] {
        letters.dropFirst(first).suffix(max(0, limit)).reversed().compactMap(\.self)
    }

    private mutating func removeOldest() {
        bytes -= letters[first]?.event.count ?? 0
        letters[first] = nil
        first += 1
        if first > count {
            letters.removeFirst(first)
            first = 0
        }
    }
}
