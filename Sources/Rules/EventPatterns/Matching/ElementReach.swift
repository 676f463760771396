/// Which fields of a pattern are met somewhere in each element of an event's outermost arrays.
///
/// A conjunction whose fields no element holds together is not met, however the arrays inside are built: that is seen here without a walk
/// through all elements for each of a thousand conjunctions.
struct ElementReach: Sendable {
    /// For each scope the number of the outermost element around it; -1 outside all arrays.
    private var elementOfScope: [Int32] = []
    /// For each element the number of its array among the outermost ones.
    private var arrayOfElement: [Int32] = []
    /// Elements that hold the same fields are of one class.
    private struct Class: Sendable {
        var fields = FieldMask.none
        let array: Int32
        /// How many elements; none in a class that all have left.
        var count: Int32 = 0
        /// Where elements go that hold one field more; -1 but while it is inserted.
        var next: Int32 = -1
    }

    private var classOfElement: [Int32] = []
    /// The first ones are those of the elements that hold nothing, by the number of their array.
    private var classes: [Class] = []
    private var classesOfArray: [[Int32]] = []
    private var fieldsOfArray: [FieldMask] = []
    /// Of each array: no element holds more fields than so many.
    private var mostOfArray: [Int] = []
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
        fieldsOfArray = [FieldMask](repeating: .none, count: numberOfArray.count)
        hasFields = true
        removeFields()
    }

    /// Forgets all fields: another pattern follows.
    mutating func removeFields() {
        guard hasFields else { return }
        hasFields = false
        for index in fieldsOfArray.indices { fieldsOfArray[index] = .none }
        mostOfArray = fieldsOfArray.map { _ in 0 }
        classes = fieldsOfArray.indices.map { Class(array: Int32(truncatingIfNeeded: $0)) }
        classesOfArray = fieldsOfArray.indices.map { [Int32(truncatingIfNeeded: $0)] }
        classOfElement = arrayOfElement
        for array in arrayOfElement { classes[Int(array)].count += 1 }
    }

    /// Takes note of where a field is met: elements that hold it part from those of their class that do not.
    mutating func insert(_ field: Int, _ meeting: FieldMeeting) {
        hasFields = true
        var split: [Int] = []
        for scope in meeting.met {
            let element = Int(elementOfScope[Int(scope)])
            guard element >= 0 else { continue }
            let old = Int(classOfElement[element])
            if classes[old].fields.contains(field) { continue }
            if classes[old].next < 0 {
                split.append(old)
                classes[old].next = add(field, to: old)
            }
            let new = classes[old].next
            classes[old].count -= 1
            classes[Int(new)].count += 1
            classOfElement[element] = new
        }
        for old in split {
            classes[old].next = -1
            fieldsOfArray[Int(classes[old].array)].insert(field)
        }
        for array in Set(split.map { Int(classes[$0].array) }) { classesOfArray[array].removeAll { classes[Int($0)].count == 0 } }
    }

    /// A class of the same array with one field more.
    private mutating func add(_ field: Int, to old: Int) -> Int32 {
        var new = Class(fields: classes[old].fields, array: classes[old].array)
        new.fields.insert(field)
        let array = Int(new.array)
        mostOfArray[array] = max(mostOfArray[array], new.fields.count)
        let number = Int32(truncatingIfNeeded: classes.count)
        classes.append(new)
        classesOfArray[array].append(number)
        return number
    }

    /// Whether some array has all places of several of the fields, and none of its elements has them together.
    ///
    /// All the fields have been inserted, and each is met in arrays only.
    mutating func keepsApart(_ fields: FieldMask, steps: inout Int) -> Bool {
        for array in fieldsOfArray.indices {
            var here = fields & fieldsOfArray[array]
            for other in fieldsOfArray.indices where other != array { here = here - fieldsOfArray[other] }
            guard !here.isEmpty else { continue }
            if here.count > mostOfArray[array] { return true }
            steps += classesOfArray[array].count
            if !classesOfArray[array].contains(where: { (here - classes[Int($0)].fields).isEmpty }) { return true }
        }
        return false
    }
}
