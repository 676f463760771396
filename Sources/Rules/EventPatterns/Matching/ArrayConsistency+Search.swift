extension ArrayConsistency {
    /// The element chosen of each array, and the order of the choices, so that they can be taken back.
    private struct Choices {
        let tree: ScopeTree
        private var chosen: [Int32]
        private var order: [Int32] = []
        private(set) var steps = 0

        init(_ tree: ScopeTree) {
            self.tree = tree
            chosen = [Int32](repeating: -1, count: tree.scopeOfArray.count)
        }

        var count: Int { order.count }

        mutating func step() -> Bool {
            steps += 1
            return steps <= searchStepsMax
        }

        mutating func takeBack(to count: Int) {
            while order.count > count { chosen[Int(order.removeLast())] = -1 }
        }

        /// Chooses the elements around a scope; false, and nothing is changed, where others are chosen already.
        mutating func choose(_ scope: Int32) -> Bool {
            let before = count
            var current = scope
            while current != EventFields.outermostScope {
                steps += 1
                let array = Int(tree.arrayOfScope[Int(current)])
                if chosen[array] == current { return true }
                guard chosen[array] < 0 else {
                    takeBack(to: before)
                    return false
                }
                chosen[array] = current
                order.append(Int32(truncatingIfNeeded: array))
                current = tree.scopeOfArray[array]
            }
            return true
        }

        /// Whether a scope can be chosen beside what is.
        mutating func allows(_ scope: Int32) -> Bool {
            let before = count
            defer { takeBack(to: before) }
            return choose(scope)
        }
    }

    /// Tries the values of each field in turn, then its absence, remembering the element chosen of each array.
    func search(steps: inout Int) -> Bool {
        var choices = Choices(tree)
        defer { steps += choices.steps }
        var position = [Int](repeating: -1, count: fieldCount)
        var before: [Int] = []
        var field = 0
        while field < fieldCount {
            position[field] += 1
            guard choices.step() else { return false }
            let scopes = scopes(meeting: field)
            if position[field] > scopes.count {
                position[field] = -1
                field -= 1
                guard field >= 0 else { return false }
                choices.takeBack(to: before.removeLast())
            } else {
                let count = choices.count
                if position[field] == scopes.count {
                    guard isMissing(field, given: &choices) else { continue }
                } else {
                    guard choices.choose(scopes[position[field]]) else { continue }
                }
                before.append(count)
                field += 1
            }
        }
        return true
    }

    /// Whether each value of the field lies in another element than a chosen one.
    private func isMissing(_ field: Int, given choices: inout Choices) -> Bool {
        guard let scopes = scopes(holding: field) else { return false }
        for scope in scopes {
            guard choices.step() else { return false }
            if choices.allows(scope) { return false }
        }
        return true
    }
}
