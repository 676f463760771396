/// Decides whether several fields can be met at once without using two elements of one array.
///
/// The service demands it at any depth: `items:[{a,1},{b,2}]` meets conditions on `items.a` and `items.b` one by one, but not
/// together. It goes through the fields in the order of their paths and keeps the elements it has chosen. A field may be missing
/// (`exists: false`) if each of its values lies in another element than one chosen before; so before anything is chosen of an array,
/// a value in any element counts.
///
/// Work is linear in the number of array elements in which a field is met or there, except where one path can be found in two places of
/// one element (dotted keys around arrays, arrays of scalars and arrays): such are searched within ``searchStepsMax``.
struct ArrayConsistency<Fields: FieldSet> {
    /// Steps of the search for paths that are found in two places.
    ///
    /// Past it the fields count as not met.
    static var searchStepsMax: Int { 40_000 }

    /// What is known of one scope, and what it has to do.
    private struct Scope {
        /// Fields met, and fields that may be missing but are there, by a value of the scope itself.
        var met = Fields.none
        var present = Fields.none
        /// The same, by a value somewhere inside.
        var reach = Fields.none
        var presence = Fields.none
        /// What the scope has to meet, and what of it may be missing because an element around it was chosen before.
        var need = Fields.none
        var excusable = Fields.none
        var hasFailed = false
    }

    private struct Choice {
        var reach = Fields.none
        var presence = Fields.none
        /// What one of the elements has to meet.
        var need = Fields.none
        var isMet = false
    }

    let tree: ScopeTree
    /// For each field the scopes in which a value meets it.
    private var scopesOfField: [[Int32]] = []
    /// For fields that may be missing, the scopes in which there is any value.
    private var presentScopes: [[Int32]] = []
    private var mayBeMissing = Fields.none
    private var all = Fields.none

    /// Takes where the fields are met that are not met outside all arrays alone, in the order of their paths.
    fileprivate init(_ meetings: [FieldMeeting], in event: EventFields) {
        tree = ScopeTree(holding: meetings, in: event)
        for meeting in meetings {
            all.insert(scopesOfField.count)
            if meeting.mayBeMissing { mayBeMissing.insert(scopesOfField.count) }
            scopesOfField.append(meeting.met.map(tree.number))
            presentScopes.append(meeting.present.map(tree.number))
        }
    }

    var fieldCount: Int { scopesOfField.count }

    func scopes(meeting field: Int) -> [Int32] { scopesOfField[field] }

    /// The scopes of all values of a field that may be missing; nil if it may not.
    func scopes(holding field: Int) -> [Int32]? { mayBeMissing.contains(field) ? presentScopes[field] : nil }

    /// `steps` grows with what is looked at.
    func holds(steps: inout Int) -> Bool {
        if scopesOfField.count < 2, mayBeMissing.isEmpty { return true }
        steps += tree.arrayOfScope.count
        var scopes = [Scope](repeating: Scope(), count: tree.arrayOfScope.count)
        var arrays = [Choice](repeating: Choice(), count: tree.scopeOfArray.count)
        gather(&scopes, &arrays)
        if isAmbiguous(scopes, arrays) { return search(steps: &steps) }
        distribute(&scopes, &arrays)
        return conclude(&scopes, &arrays)
    }

    /// Inside out: what each scope and each array holds.
    private func gather(_ scopes: inout [Scope], _ arrays: inout [Choice]) {
        for field in scopesOfField.indices {
            for scope in scopesOfField[field] { scopes[Int(scope)].met.insert(field) }
            for scope in presentScopes[field] { scopes[Int(scope)].present.insert(field) }
        }
        for index in scopes.indices.reversed() {
            scopes[index].reach |= scopes[index].met
            scopes[index].presence |= scopes[index].present
            guard index > 0 else { break }
            let array = Int(tree.arrayOfScope[index])
            let owner = Int(tree.scopeOfArray[array])
            arrays[array].reach |= scopes[index].reach
            arrays[array].presence |= scopes[index].presence
            scopes[owner].reach |= scopes[index].reach
            scopes[owner].presence |= scopes[index].presence
        }
    }

    /// Whether a field can be met or be there in two arrays of one scope, or in a scope and an array of it.
    private func isAmbiguous(_ scopes: [Scope], _ arrays: [Choice]) -> Bool {
        var seen = [Fields](repeating: .none, count: scopes.count)
        for (index, array) in arrays.enumerated() {
            let owner = Int(tree.scopeOfArray[index])
            let inside = mayBeMissing.isEmpty ? array.reach - scopes[owner].met : array.reach | array.presence
            if !(seen[owner] & inside).isEmpty { return true }
            seen[owner] |= inside
        }
        return !mayBeMissing.isEmpty && scopes.indices.contains { !(seen[$0] & (scopes[$0].met | scopes[$0].present)).isEmpty }
    }

    /// Outside in: what each scope has to meet.
    ///
    /// Everything that an array holds of it, one of its elements must.
    private func distribute(_ scopes: inout [Scope], _ arrays: inout [Choice]) {
        scopes[0].need = all
        // Before anything is chosen, what is anywhere is not missing.
        scopes[0].excusable = .none
        // An array comes before the scopes inside it, and after the scope it lies in.
        var excusableOf = [Fields](repeating: .none, count: arrays.count)
        var isDone = [Bool](repeating: false, count: arrays.count)
        func share(_ array: Int) {
            guard !isDone[array] else { return }
            isDone[array] = true
            let owner = scopes[Int(tree.scopeOfArray[array])]
            let missing = owner.excusable - owner.presence
            let need = (owner.need - owner.met - missing) & (arrays[array].reach | arrays[array].presence)
            arrays[array].need = need
            // The first field that takes a value in the array chooses the element; later ones may be missing from it.
            if let first = (need & arrays[array].reach).first { excusableOf[array] = mayBeMissing.above(first) & need }
        }
        for index in scopes.indices.dropFirst() {
            let array = Int(tree.arrayOfScope[index])
            share(array)
            scopes[index].need = arrays[array].need
            scopes[index].excusable = excusableOf[array]
        }
    }

    /// Inside out: which scopes meet what they have to; the outermost decides.
    private func conclude(_ scopes: inout [Scope], _ arrays: inout [Choice]) -> Bool {
        // Arrays in the order in which their scopes are visited here; the elements of an array come before its scope.
        var order = arrays.indices.sorted { tree.scopeOfArray[$0] < tree.scopeOfArray[$1] }
        for index in scopes.indices.reversed() {
            while let array = order.last, Int(tree.scopeOfArray[array]) == index {
                if !arrays[array].need.isEmpty, !arrays[array].isMet { scopes[index].hasFailed = true }
                order.removeLast()
            }
            let scope = scopes[index]
            let missing = scope.excusable - scope.presence
            // What is only somewhere inside is left to the arrays.
            let left = scope.need - scope.reach - missing - (scope.presence - scope.present)
            let meets = !scope.hasFailed && left.isEmpty && (scope.need & scope.present - scope.met).isEmpty
            if index == 0 { return meets }
            if meets { arrays[Int(tree.arrayOfScope[index])].isMet = true }
        }
        return false
    }
}

extension [FieldMeeting] {
    /// Whether the fields can be met at once, taken in the order of their paths.
    func areConsistent(in event: EventFields, steps: inout Int) -> Bool {
        // A value outside all arrays goes with any element, but what it leaves unchosen may decide what is missing.
        let hasAbsence = contains(where: \.mayBeMissing)
        let relevant = filter { !($0.isMetOutside && (!hasAbsence || $0.isMetOnlyOutside)) }
        // There is a set for each of many elements: small ones are worth having.
        return relevant.count <= SmallFieldMask.countMax
            ? ArrayConsistency<SmallFieldMask>(relevant, in: event).holds(steps: &steps)
            : ArrayConsistency<FieldMask>(relevant, in: event).holds(steps: &steps)
    }
}
