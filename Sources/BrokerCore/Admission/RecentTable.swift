/// What is remembered of the keys seen last, in bounded memory whatever keys come.
///
/// Two generations: when the younger has half of the capacity it becomes the older, whose unused keys are forgotten. So at least the last
/// `capacity / 2` keys are known, nothing is searched or sorted, and whoever invents keys pushes out mostly those that he invented before.
package struct RecentTable<Key: Hashable, Value> {
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
    private let half: Int

    package init(capacity: Int) { half = max(1, capacity / 2) }

    package var count: Int { young.count + old.count }

    /// The value of a key that is known, without making it younger.
    package func value(of key: Key) -> Value? { young[key] ?? old[key] }

    /// Changes the value of a key, which is `fresh` if it is not known.
    package mutating func update<Answer>(_ key: Key, fresh: Value, _ body: (inout Value) -> Answer) -> Answer {
        if young[key] == nil {
            let known = old.removeValue(forKey: key)
            if young.count >= half {
                old = young
                young = [:]
            }
            young[key] = known ?? fresh
        }
        return body(&young[key, default: fresh])
    }
}
