package import BrokerCore
import Records

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
    /// The step of a trace in which it failed; `nil` for one that belongs to none.
    package var trace: TraceParent?

    private static let errorActionPrefix = "error action "

    /// What ``target`` is of something that a rule's error action could not do.
    static func errorAction(_ name: String) -> String { errorActionPrefix + name }

    /// Whether a rule's error action failed: what it was to be told of is kept no more.
    var isOfErrorAction: Bool { bus == nil && target.hasPrefix(Self.errorActionPrefix) }
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
    /// In order of their numbers; those before `first` are gone already and removed together, so that each costs little.
    private var letters: [(number: UInt64, letter: DeadLetter)?] = []
    private var lastNumber: UInt64 = 0
    private var first = 0
    private var bytes = 0

    init(countMax: Int, bytesMax: Int) {
        self.countMax = countMax
        self.bytesMax = bytesMax
    }

    private var count: Int { letters.count - first }

    /// What a letter has changed.
    struct Change {
        /// The letter's own; nil where it alone is too large.
        var number: UInt64?
        /// The oldest, which had to go for it.
        var removed: [UInt64] = []

        /// How many letters are not kept any more, be it the letter itself.
        var dropped: Int { number == nil ? 1 : removed.count }
    }

    /// Keeps a letter.
    mutating func append(_ letter: DeadLetter) -> Change { restore(letter, number: lastNumber + 1) }

    /// Keeps a letter under the number that it has.
    mutating func restore(_ letter: DeadLetter, number: UInt64) -> Change {
        lastNumber = max(lastNumber, number)
        guard letter.event.count <= bytesMax, countMax > 0 else { return Change() }
        var change = Change(number: number)
        while count >= countMax || bytes + letter.event.count > bytesMax {
            if let oldest = letters[first]?.number { change.removed.append(oldest) }
            removeOldest()
        }
        // One that comes back to where it was is older than others.
        let place = letters[first...].lastIndex { $0.map { $0.number < number } ?? false }.map { $0 + 1 } ?? first
        letters.insert((number, letter), at: place)
        bytes += letter.event.count
        return change
    }

    /// The newest letters with their numbers, newest first.
    func newest(limit: Int) -> [(number: UInt64, letter: DeadLetter)] {
        letters[first...].suffix(max(0, limit)).reversed().compactMap(\.self)
    }

    /// Takes a letter out; `nil` where there is none of that number.
    mutating func take(_ number: UInt64) -> DeadLetter? {
        guard let place = letters[first...].firstIndex(where: { $0?.number == number }) else { return nil }
        let letter = letters.remove(at: place)?.letter
        bytes -= letter?.event.count ?? 0
        return letter
    }

    private mutating func removeOldest() {
        bytes -= letters[first]?.letter.event.count ?? 0
        letters[first] = nil
        first += 1
        if first > count {
            letters.removeFirst(first)
            first = 0
        }
    }
}

extension DeadLetterQueue.Change {
    func records(_ letter: DeadLetter) -> [RecordChange] {
        removed.map { .remove(RecordKey(.deadLetter, $0)) }
            + (number.map { [.put(KeptRecord(RecordKey(.deadLetter, $0), letter.fields))] } ?? [])
    }
}

extension DeadLetter {
    fileprivate var fields: [UInt8] {
        // The second version has a trace.
        var writer = RecordWriter(version: trace == nil ? 1 : 2)
        writer.add(timeMilliseconds)
        writer.add(rule)
        writer.add(bus)
        writer.add(target)
        writer.add(errorCode)
        writer.add(errorMessage)
        writer.add(event)
        writer.add(Int64(trying.retries))
        writer.add(trying.exhaustion?.rawValue)
        writer.add(trace: trace)
        return writer.bytes
    }

    init(_ record: KeptRecord) throws(UnreadableRecord) {
        var reader = try RecordReader(record, upTo: 2)
        timeMilliseconds = try reader.number()
        rule = try reader.text()
        bus = try reader.optionalText()
        target = try reader.text()
        errorCode = try reader.text()
        errorMessage = try reader.text()
        event = try reader.field()
        trying = RetryRecord(
            retries: Int(clamping: try reader.number()), exhaustion: try reader.optionalText().flatMap(RetryExhaustion.init(rawValue:)))
        trace = try reader.trace(since: 2)
    }
}
