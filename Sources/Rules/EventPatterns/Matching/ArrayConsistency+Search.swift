extension ArrayConsistency {
    /// Tries the values of each field in turn, then its absence, remembering the element chosen of each array.
    func search() -> Bool {
        var steps = 0
        var choice = [Int](repeating: -1, count: fieldCount)
        var chosen: [[Int32: Int32]] = [[:]]
        var field = 0
        while field < fieldCount {
            choice[field] += 1
            steps += 1
            guard steps <= ArrayConsistency.searchStepsMax else { return false }
            let scopes = scopes(meeting: field)
            if choice[field] > scopes.count {
                choice[field] = -1
                field -= 1
                guard field >= 0 else { return false }
                chosen.removeLast()
            } else if choice[field] == scopes.count {
                guard isMissing(field, given: chosen[field], steps: &steps) else { continue }
                chosen.append(chosen[field])
                field += 1
            } else if let extended = extend(chosen[field], with: scopes[choice[field]]) {
                chosen.append(extended)
                field += 1
            }
        }
        return true
    }

    /// Whether each value of the field lies in another element than a chosen one.
    private func isMissing(_ field: Int, given chosen: [Int32: Int32], steps: inout Int) -> Bool {
        guard let scopes = scopes(holding: field) else { return false }
        for scope in scopes {
            steps += 1
            if steps > ArrayConsistency.searchStepsMax || extend(chosen, with: scope) != nil { return false }
        }
        return true
    }

    private func extend(_ elements: [Int32: Int32], with scope: Int32) -> [Int32: Int32]? {
        var result = elements
        var current = scope
        while current != EventFields.outermostScope {
            let array = event.arrayOfScope[Int(current)]
            if result.updateValue(current, forKey: array) ?? current != current { return nil }
            current = event.scopeOfArray[Int(array)]
        }
        return result
    }
}
