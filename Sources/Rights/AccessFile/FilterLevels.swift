/// A topic filter by its levels (MQTT 3.1.1 and MQTT 5 section 4.7).
struct FilterLevels: Sendable, Equatable {
    enum Level: Sendable, Equatable {
        case literal([UInt8])
        /// `+`
        case one
        /// `#`, the last
        case rest
    }

    let levels: [Level]
    /// Whether a wildcard in the first level is also for topics that begin with `$`, which no filter of MQTT says.
    private let reachesSystemTopics: Bool

    /// Reads a filter that has no ``problem(with:)``.
    init(filter: some Collection<UInt8>) {
        let levels: [Level] = Self.parts(filter).map { part in
            switch part {
            case [UInt8(ascii: "+")]: .one
            case [UInt8(ascii: "#")]: .rest
            default: .literal(part)
            }
        }
        self.init(levels: levels)
    }

    /// A topic name: the filter that stands for it alone, whatever characters are in it.
    init(topic: some Collection<UInt8>) { self.init(levels: Self.parts(topic).map { .literal($0) }) }

    /// - Parameters:
    ///   - levels: the levels in order; ``Level/rest`` is the last, if there is one.
    ///   - reachesSystemTopics: whether ``contains(_:)`` takes a wildcard in the first level for topics that begin with `$`, too.
    init(levels: [Level], reachesSystemTopics: Bool = false) {
        (self.levels, self.reachesSystemTopics) = (levels, reachesSystemTopics)
    }

    /// The topic that a rule sees of one of Basic Ingest, `$aws/rules/NAME/TOPIC`; `nil` for another.
    var behindBasicIngest: FilterLevels? {
        let prefix = [Level.literal(Array("$aws".utf8)), .literal(Array("rules".utf8))]
        guard levels.count > prefix.count + 1, levels.starts(with: prefix) else { return nil }
        return FilterLevels(levels: Array(levels.dropFirst(prefix.count + 1)))
    }

    private static func parts(_ text: some Collection<UInt8>) -> [[UInt8]] {
        var parts: [[UInt8]] = [[]]
        for byte in text {
            if byte == UInt8(ascii: "/") { parts.append([]) } else { parts[parts.count - 1].append(byte) }
        }
        return parts
    }

    /// Why a text is no topic filter; `nil` when it is one.
    static func problem(with text: some Collection<UInt8>) -> String? {
        if text.isEmpty { return "it is empty" }
        if text.count > bytesMax { return "it is longer than \(bytesMax) bytes" }
        if text.contains(0) { return "it holds a NUL" }
        let levels = parts(text)
        for (index, level) in levels.enumerated() where level.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") }) {
            if level.count > 1 { return "'+' and '#' stand alone in their level" }
            if level == [UInt8(ascii: "#")], index < levels.count - 1 { return "'#' is the last level" }
        }
        return nil
    }

    /// Bytes that MQTT has for a filter.
    private static let bytesMax = 65_535

    /// Whether every topic that `other` matches is matched by this filter, too.
    ///
    /// To match some of them is not enough: `orders/+` does not contain `orders/#`, nor `+/status`. Wildcards in the first level do not match
    /// topics that begin with `$` [MQTT-4.7.2-1], unless this one was made to.
    func contains(_ other: FilterLevels) -> Bool {
        let asked = other.withoutEmptyTopic
        if !reachesSystemTopics, let first = levels.first, first == .one || first == .rest, case .literal(let name)? = asked.first,
            name.first == UInt8(ascii: "$")
        {
            return false
        }
        for (index, level) in levels.enumerated() {
            if level == .rest { return true }  // also the level above it
            guard index < asked.count else { return false }
            switch (level, asked[index]) {
            case (_, .rest): return false  // the level above, and any depth
            case (.one, _): continue
            case (.literal(let name), .literal(let otherName)): if name != otherName { return false }
            case (.literal, .one), (.rest, _): return false
            }
        }
        return levels.count == asked.count
    }

    /// The same with one level more where `#` would also stand for the empty topic, which there is not [MQTT-4.7.3-1]: `#` is `+/#`, and
    /// `/#` is `/+/#`.
    private var withoutEmptyTopic: [Level] {
        levels == [.rest] || levels == [.literal([]), .rest] ? levels.dropLast() + [.one, .rest] : levels
    }
}
