/// Decides whether several fields can be met at once without using two elements of one array.
///
/// The service demands it at any depth: `items:[{a,1},{b,2}]` meets conditions on `items.a` and `items.b` one by one, but not
/// together. It goes through the fields in the order of their paths and keeps the elements it has chosen. A field may be missing
/// (`exists: false`) if each of its values lies in another element than one chosen before; so before anything is chosen of an array,
/// a value in any element counts.
///
/// Work is linear in the number of array elements, except where one path can be found in two places of one element (dotted keys
/// around arrays, arrays of scalars and arrays): such are searched within ``searchStepsMax``.
struct ArrayConsistency {
    /// Steps of the search for paths that are found in two places.
    ///
    /// Past it the fields count as not met.
    static let searchStepsMax = 10_000

    /// What is known of one scope, and what it has to do.
    private struct Scope {
        /// Fields met, and fields that may be missing but are there, by a value of the scope itself.
        var met = FieldMask.none
        var present = FieldMask.none
        /// The same, by a value somewhere inside.
        var reach = FieldMask.none
        var presence = FieldMask.none
        /// What the scope has to meet, and what of it may be missing because an element around it was chosen before.
        var need = FieldMask.none
        var excusable = FieldMask.none
        var hasFailed = false
    }

    private struct Choice {
        var reach = FieldMask.none
        var presence = FieldMask.none
        /// What one of the elements has to meet.
        var need = FieldMask.none
        var isMet = false
    }

    let event: EventFields
    /// For each field the scopes in which a value meets it.
    private var scopesOfField: [[Int32]] = []
    /// For fields that may be missing, the scopes in which there is any value.
    private var presentScopes: [[Int32]] = []
    private var mayBeMissing = FieldMask.none
    private var all = FieldMask.none

    init(_ fields: [Conjunction.Field], in event: EventFields) {
        self.event = event
        // A value outside all arrays goes with any element, but what it leaves unchosen may decide what is missing.
        let hasAbsence = fields.contains { $0.conditions.acceptsAbsence }
        for field in fields {
            var met: [Int32] = []
            var present: [Int32] = []
            var next = event.last(at: field.path)
            if next < 0 { continue }
            while next >= 0 {
                let value = event.values[Int(next)]
                if field.conditions.holds(value, in: event) { met.append(value.scope) }
                if field.conditions.acceptsAbsence { present.append(value.scope) }
                next = value.previous
            }
            let isOutside = met.contains(EventFields.outermostScope)
            if isOutside, !hasAbsence || met.allSatisfy({ $0 == EventFields.outermostScope }) { continue }
            all.insert(scopesOfField.count)
            if field.conditions.acceptsAbsence { mayBeMissing.insert(scopesOfField.count) }
            scopesOfField.append(met)
            presentScopes.append(present)
        }
    }

    var fieldCount: Int { scopesOfField.count }

    func scopes(meeting field: Int) -> [Int32] { scopesOfField[field] }

    /// The scopes of all values of a field that may be missing; nil if it may not.
    func scopes(holding field: Int) -> [Int32]? { mayBeMissing.contains(field) ? presentScopes[field] : nil }

    func holds() -> Bool {
        if scopesOfField.count < 2, mayBeMissing.isEmpty { return true }
        var scopes = [Scope](repeating: Scope(), count: event.arrayOfScope.count)
        var arrays = [Choice](repeating: Choice(), count: event.scopeOfArray.count)
        gather(&scopes, &arrays)
        if isAmbiguous(scopes, arrays) { return search() }
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
            let array = Int(event.arrayOfScope[index])
            let owner = Int(event.scopeOfArray[array])
            arrays[array].reach |= scopes[index].reach
            arrays[array].presence |= scopes[index].presence
            scopes[owner].reach |= scopes[index].reach
            scopes[owner].presence |= scopes[index].presence
        }
    }

    /// Whether a field can be met or be there in two arrays of one scope, or in a scope and an array of it.
    private func isAmbiguous(_ scopes: [Scope], _ arrays: [Choice]) -> Bool {
        var seen = [FieldMask](repeating: .none, count: scopes.count)
        for (index, array) in arrays.enumerated() {
            let owner = Int(event.scopeOfArray[index])
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
        var excusableOf = [FieldMask](repeating: .none, count: arrays.count)
        var isDone = [Bool](repeating: false, count: arrays.count)
        func share(_ array: Int) {
            guard !isDone[array] else { return }
            isDone[array] = true
            let owner = scopes[Int(event.scopeOfArray[array])]
            let missing = owner.excusable - owner.presence
            let need = (owner.need - owner.met - missing) & (arrays[array].reach | arrays[array].presence)
            arrays[array].need = need
            // The first field that takes a value in the array chooses the element; later ones may be missing from it.
            if let first = (need & arrays[array].reach).first { excusableOf[array] = mayBeMissing.above(first) & need }
        }
        for index in scopes.indices.dropFirst() {
            let array = Int(event.arrayOfScope[index])
            share(array)
            scopes[index].need = arrays[array].need
            scopes[index].excusable = excusableOf[array]
        }
    }

    /// Inside out: which scopes meet what they have to; the outermost decides.
    private func conclude(_ scopes: inout [Scope], _ arrays: inout [Choice]) -> Bool {
        // Arrays in the order in which their scopes are visited here; the elements of an array come before its scope.
        var order = arrays.indices.sorted { event.scopeOfArray[$0] < event.scopeOfArray[$1] }
        for index in scopes.indices.reversed() {
            while let array = order.last, Int(event.scopeOfArray[array]) == index {
                if !arrays[array].need.isEmpty, !arrays[array].isMet { scopes[index].hasFailed = true }
                order.removeLast()
            }
            let scope = scopes[index]
            let missing = scope.excusable - scope.presence
            // What is only somewhere inside is left to the arrays.
            let left = scope.need - scope.reach - missing - (scope.presence - scope.present)
            let meets = !scope.hasFailed && left.isEmpty && (scope.need & scope.present - scope.met).isEmpty
            if index == 0 { return meets }
            if meets { arrays[Int(event.arrayOfScope[index])].isMet = true }
        }
        return false
    }
}
