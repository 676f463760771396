/// Which fields of a pattern are met somewhere in each element of an event's outermost arrays.
///
/// A conjunction whose fields no element holds together is not met, however the arrays inside are built: that is seen here without a walk
/// through all elements for each of a thousand conjunctions.
struct ElementReach: Sendable {
    /// For each scope the number of the outermost element around it; -1 outside all arrays.
    private var elementOfScope: [Int32] = []
    /// For each element the number of its array among the outermost ones.
    private var arrayOfElement: [Int32] = []
    private var fieldsOfElement: [FieldMask] = []
    private var fieldsOfArray: [FieldMask] = []
    /// Of each array the sets of fields that its elements have, each set once; empty where they have changed.
    private var distinct: [[FieldMask]] = []
    private var hasFields = false

    var isEmpty: Bool { elementOfScope.isEmpty }

    init() {}

    init(_ event: EventFields, steps: inout Int) {
        steps += event.arrayOfScope.count
        elementOfScope = [Int32](repeating: -1, count: event.arrayOfScope.count)
        var numberOfArray: [Int32: Int32] = [:]
        // An outer scope comes before the scopes inside it.
        for scope in event.arrayOfScope.indices.dropFirst() {
            let array = event.arrayOfScope[scope]
            let owner = event.scopeOfArray[Int(array)]
            if owner == EventFields.outermostScope {
                elementOfScope[scope] = Int32(truncatingIfNeeded: arrayOfElement.count)
                let known = Int32(truncatingIfNeeded: numberOfArray.count)
                arrayOfElement.append(numberOfArray[array, default: known])
                if arrayOfElement[arrayOfElement.count - 1] == known { numberOfArray[array] = known }
            } else {
                elementOfScope[scope] = elementOfScope[Int(owner)]
            }
        }
        fieldsOfElement = [FieldMask](repeating: .none, count: arrayOfElement.count)
        fieldsOfArray = [FieldMask](repeating: .none, count: numberOfArray.count)
        distinct = [[FieldMask]](repeating: [], count: numberOfArray.count)
    }

    /// Forgets all fields: another pattern follows.
    mutating func removeFields() {
        guard hasFields else { return }
        hasFields = false
        for index in fieldsOfElement.indices { fieldsOfElement[index] = .none }
        for index in fieldsOfArray.indices {
            fieldsOfArray[index] = .none
            distinct[index] = []
        }
    }

    /// Takes note of where a field is met.
    mutating func insert(_ field: Int, _ meeting: FieldMeeting) {
        hasFields = true
        for scope in meeting.met {
            let element = Int(elementOfScope[Int(scope)])
            guard element >= 0 else { continue }
            let array = Int(arrayOfElement[element])
            fieldsOfElement[element].insert(field)
            fieldsOfArray[array].insert(field)
            if !distinct[array].isEmpty { distinct[array] = [] }
        }
    }

    /// Whether some array has all places of several of the fields, and none of its elements has them together.
    ///
    /// All the fields have been inserted, and each is met in arrays only.
    mutating func keepsApart(_ fields: FieldMask, steps: inout Int) -> Bool {
        for array in fieldsOfArray.indices {
            var here = fields & fieldsOfArray[array]
            for other in fieldsOfArray.indices where other != array { here = here - fieldsOfArray[other] }
            guard !here.isEmpty else { continue }
            if distinct[array].isEmpty { findDistinct(array, steps: &steps) }
            steps += distinct[array].count
            if !distinct[array].contains(where: { (here - $0).isEmpty }) { return true }
        }
        return false
    }

    private mutating func findDistinct(_ array: Int, steps: inout Int) {
        steps += arrayOfElement.count
        var sets: Set<FieldMask> = []
        for element in arrayOfElement.indices where arrayOfElement[element] == array && !fieldsOfElement[element].isEmpty {
            sets.insert(fieldsOfElement[element])
        }
        distinct[array] = Array(sets)
    }
}
