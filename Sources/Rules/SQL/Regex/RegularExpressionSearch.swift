extension RegularExpression {
    /// Looks for the first match.
    ///
    /// - Parameters:
    ///   - text: what is searched.
    ///   - start: where the match may begin.
    ///   - wantsGroups: without them only group 0 is answered.
    ///   - steps: how many may be taken; negative when they did not suffice, and then the answer is nil.
    /// - Returns: where the groups lie, `-1` for those that took no part: start and end of group 0, then of 1, and so on.
    func firstMatch(in text: [Unicode.Scalar], from start: Int, wantsGroups: Bool, steps: inout Int) -> [Int]? {
        // What is set up for each search, however soon it finds something.
        steps -= instructions.count / 16
        guard steps >= 0 else { return nil }
        var search = RegularExpressionSearch(self, text, slots: wantsGroups ? groupCount * 2 : 2)
        return search.run(from: start, &steps)
    }
}

/// One search: all ways through the expression, side by side, in the order of preference.
private struct RegularExpressionSearch {
    private struct Way {
        var place: Int
        var slots: [Int]
    }

    private let instructions: [RegularExpression.Instruction]
    private let text: [Unicode.Scalar]
    private let slotCount: Int
    private var current: [Way] = []
    private var following: [Way] = []
    /// The position at which each instruction was reached last.
    private var reached: [Int]
    private var pending: [Way] = []
    private var found: [Int]?

    init(_ expression: RegularExpression, _ text: [Unicode.Scalar], slots: Int) {
        instructions = expression.instructions
        self.text = text
        slotCount = slots
        reached = Array(repeating: -1, count: instructions.count)
    }

    mutating func run(from start: Int, _ steps: inout Int) -> [Int]? {
        var position = start
        while position <= text.count {
            if found == nil {
                // The match may begin here, but one that began earlier is better.
                add(Way(place: 0, slots: Array(repeating: -1, count: slotCount)), at: position, &steps)
            } else if current.isEmpty {
                break
            }
            if steps < 0 { return nil }
            advance(at: position, &steps)
            position += 1
        }
        return steps < 0 ? nil : found
    }

    /// Takes the character at the position; what a match is preferred to is given up.
    private mutating func advance(at position: Int, _ steps: inout Int) {
        let scalar = position < text.count ? text[position] : nil
        let ways = current
        current.removeAll(keepingCapacity: true)
        following.removeAll(keepingCapacity: true)
        for way in ways {
            switch instructions[way.place] {
            case .match:
                found = way.slots
                swap(&current, &following)
                return
            case .character(let wanted):
                if scalar == wanted { step(way, to: position + 1, &steps) }
            case .set(let set):
                if let scalar, set.contains(scalar) { step(way, to: position + 1, &steps) }
            case .assertion, .jump, .split, .save: break  // followed when they were reached
            }
            if steps < 0 { return }
        }
        swap(&current, &following)
    }

    private mutating func step(_ way: Way, to position: Int, _ steps: inout Int) {
        swap(&current, &following)
        add(Way(place: way.place + 1, slots: way.slots), at: position, &steps)
        swap(&current, &following)
    }

    /// Follows what takes no character, best way first.
    private mutating func add(_ way: Way, at position: Int, _ steps: inout Int) {
        pending.append(way)
        while var way = pending.popLast() {
            steps -= 1
            if steps < 0 { return pending.removeAll() }
            if reached[way.place] == position { continue }
            reached[way.place] = position
            switch instructions[way.place] {
            case .jump(let distance):
                way.place += distance
                pending.append(way)
            case .split(let first, let second):
                pending.append(Way(place: way.place + second, slots: way.slots))
                pending.append(Way(place: way.place + first, slots: way.slots))
            case .save(let slot):
                if slot < way.slots.count { way.slots[slot] = position }
                way.place += 1
                pending.append(way)
            case .assertion(let assertion):
                guard holds(assertion, at: position) else { continue }
                way.place += 1
                pending.append(way)
            case .character, .set, .match: current.append(way)
            }
        }
    }

    private func holds(_ assertion: RegularExpression.Assertion, at position: Int) -> Bool {
        switch assertion {
        case .textStart: return position == 0
        case .veryEnd: return position == text.count
        case .lineStart: return position == 0 || (position < text.count && CharacterSet.lineEnds.contains(text[position - 1]))
        case .lineEnd: return position == text.count || CharacterSet.lineEnds.contains(text[position])
        case .textEnd:
            if position == text.count { return true }
            // Before the last line's end, be it one character or two.
            let isLast = position == text.count - 1 && CharacterSet.lineEnds.contains(text[position])
            let isPair = position == text.count - 2 && text[position] == "\r" && text[position + 1] == "\n"
            let splitsPair = position > 0 && text[position - 1] == "\r" && text[position] == "\n"
            return (isLast && !splitsPair) || isPair
        case .wordBoundary: return isWord(position - 1) != isWord(position)
        case .noWordBoundary: return isWord(position - 1) == isWord(position)
        }
    }

    private func isWord(_ position: Int) -> Bool {
        text.indices.contains(position) && CharacterSet.word.contains(text[position])
    }
}
