import Rules

/// When each scheduled rule is due next.
///
/// Knows no clock: every call says what time it is, in milliseconds since 1970. A time that passed while nobody asked is made up for once,
/// however many there were: a rule that was due a hundred times while a machine slept has one event to catch up with.
struct ScheduleTable {
    private struct Entry {
        let expression: ScheduleExpression
        /// What a rate counts from.
        var creation: Int64
        var next: Int64?
    }

    private var entries: [String: Entry] = [:]
    /// The latest time that was told.
    private var latest = Int64.min

    /// When the first rule is due; nil when none ever is.
    var next: Int64? { entries.values.lazy.compactMap(\.next).min() }

    /// Takes the rules that there are now, by their names; one whose expression is what it was goes on as it was.
    mutating func replace(_ rules: [(name: String, expression: ScheduleExpression)], now: Int64) {
        var entries: [String: Entry] = [:]
        for rule in rules {
            if let known = self.entries[rule.name], known.expression == rule.expression {
                entries[rule.name] = known
            } else {
                let next = rule.expression.next(after: now, from: now)
                entries[rule.name] = Entry(expression: rule.expression, creation: now, next: next)
            }
        }
        self.entries = entries
    }

    /// By the new time, rules are due earlier than was thought.
    private mutating func followClock(setBackTo now: Int64) {
        for (name, entry) in entries {
            let creation = min(entry.creation, now)
            entries[name]?.creation = creation
            entries[name]?.next = entry.expression.next(after: now, from: creation)
        }
    }

    /// The rules that are due, the earliest first, each with the time that it was due at; they are due again later.
    mutating func takeDue(now: Int64) -> [(name: String, dueMilliseconds: Int64)] {
        if now < latest { followClock(setBackTo: now) }
        latest = now
        var due: [(name: String, dueMilliseconds: Int64)] = []
        for (name, entry) in entries {
            guard let time = entry.next, time <= now else { continue }
            due.append((name, time))
            entries[name]?.next = entry.expression.next(after: now, from: entry.creation)
        }
        return due.sorted { ($0.dueMilliseconds, $0.name) < ($1.dueMilliseconds, $1.name) }
    }
}
