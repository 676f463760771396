/// Decides whether several conditions can be met at once without using two elements of one array.
///
/// The service demands it at any depth: `items:[{a,1},{b,2}]` meets conditions on `items.a` and `items.b` one by one, but not
/// together. Conditions are bits of a mask (``EventPattern/fieldsMax``). Work is linear in the number of array elements, except where
/// dotted keys spell one path in two ways around arrays: that case is searched within ``searchStepsMax``.
struct ArrayConsistency {
    /// Steps of the search for paths spelled in two ways.
    ///
    /// Past it the conditions count as not met.
    static let searchStepsMax = 100_000

    private let fields: EventFields
    /// For each condition the scopes in which some value meets it.
    private let scopesOfCondition: [[Int]]

    init(_ fields: EventFields, scopesOfCondition: [[Int]]) {
        self.fields = fields
        self.scopesOfCondition = scopesOfCondition
    }

    func holds() -> Bool {
        let scopeCount = fields.arrayOfScope.count
        let arrayCount = fields.scopeOfArray.count
        // What each scope meets itself, and what it or something inside it meets.
        var direct = [UInt64](repeating: 0, count: scopeCount)
        for (condition, scopes) in scopesOfCondition.enumerated() {
            for scope in scopes { direct[scope] |= 1 << UInt64(condition) }
        }
        var reach = direct
        var reachOfArray = [UInt64](repeating: 0, count: arrayCount)
        for scope in (1..<max(scopeCount, 1)).reversed() where reach[scope] != 0 {
            let array = fields.arrayOfScope[scope]
            reachOfArray[array] |= reach[scope]
            reach[fields.scopeOfArray[array]] |= reach[scope]
        }
        if isAmbiguous(direct: direct, reachOfArray: reachOfArray) { return search() }

        // Outside in: what each scope has to meet. Everything that an array can meet, one of its elements must.
        let all = scopesOfCondition.indices.reduce(UInt64(0)) { $0 | 1 << UInt64($1) }
        var need = [UInt64](repeating: 0, count: scopeCount)
        need[EventFields.outermostScope] = all
        func share(of array: Int) -> UInt64 {
            let owner = fields.scopeOfArray[array]
            return need[owner] & ~direct[owner] & reachOfArray[array]
        }
        for scope in 1..<max(scopeCount, 1) { need[scope] = share(of: fields.arrayOfScope[scope]) }

        // Inside out: which scopes do. An array fails its scope if none of its elements does what the array has to.
        var isMet = [Bool](repeating: false, count: arrayCount)
        var failed = [Bool](repeating: false, count: scopeCount)
        // Arrays in the order in which their scopes are visited here; the elements of an array come before its scope.
        var arrays = (0..<arrayCount).sorted { fields.scopeOfArray[$0] < fields.scopeOfArray[$1] }
        for scope in (0..<scopeCount).reversed() {
            while let array = arrays.last, fields.scopeOfArray[array] == scope {
                if share(of: array) != 0, !isMet[array] { failed[scope] = true }
                arrays.removeLast()
            }
            let meets = need[scope] & ~reach[scope] == 0 && !failed[scope]
            if scope == EventFields.outermostScope { return meets }
            if meets { isMet[fields.arrayOfScope[scope]] = true }
        }
        return false
    }

    /// Whether two arrays of one scope can meet the same condition, so that it is open which of them has to.
    private func isAmbiguous(direct: [UInt64], reachOfArray: [UInt64]) -> Bool {
        var seen = [UInt64](repeating: 0, count: direct.count)
        for (array, reach) in reachOfArray.enumerated() {
            let owner = fields.scopeOfArray[array]
            if seen[owner] & reach & ~direct[owner] != 0 { return true }
            seen[owner] |= reach
        }
        return false
    }

    /// Tries the scopes of each condition in turn, remembering the element chosen of each array.
    private func search() -> Bool {
        var steps = 0
        var choice = [Int](repeating: -1, count: scopesOfCondition.count)
        var chosen: [[Int: Int]] = [[:]]
        var condition = 0
        while condition < scopesOfCondition.count {
            choice[condition] += 1
            steps += 1
            if steps > ArrayConsistency.searchStepsMax { return false }
            if choice[condition] == scopesOfCondition[condition].count {
                choice[condition] = -1
                condition -= 1
                if condition < 0 { return false }
                chosen.removeLast()
            } else if let extended = extend(chosen[condition], with: scopesOfCondition[condition][choice[condition]]) {
                chosen.append(extended)
                condition += 1
            }
        }
        return true
    }

    private func extend(_ elements: [Int: Int], with scope: Int) -> [Int: Int]? {
        var result = elements
        var current = scope
        while current != EventFields.outermostScope {
            let array = fields.arrayOfScope[current]
            if result.updateValue(current, forKey: array) ?? current != current { return nil }
            current = fields.scopeOfArray[array]
        }
        return result
    }
}
