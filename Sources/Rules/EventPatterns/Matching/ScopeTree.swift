/// The elements of arrays in which a pattern's fields are met, and what lies around them, numbered anew.
///
/// An event may have thousands of elements of which a rule is met in one, and thousands of arrays with one element each. Such an element
/// leaves no choice, so it is the same as what its array lies in.
struct ScopeTree: Sendable {
    /// Up to so many are numbered anew; where there are more, the event's own numbers do.
    private static let fewMax = 32

    /// For each scope the array it is an element of; -1 for the outermost.
    private(set) var arrayOfScope: [Int32]
    /// For each array the scope it lies in.
    private(set) var scopeOfArray: [Int32]
    /// The event's numbers of the scopes, ascending; empty where more than a few are numbered.
    private var scopes: [Int32] = []
    /// For each scope of the event its number here; empty where that is the event's own, or stands in ``scopes``.
    private var numbers: [Int32] = []

    init(holding meetings: [FieldMeeting], in event: EventFields) {
        (arrayOfScope, scopeOfArray) = (event.arrayOfScope, event.scopeOfArray)
        let count = meetings.reduce(0) { $0 + $1.met.count + $1.present.count }
        guard event.arrayOfScope.count > 2 * Self.fewMax else { return }
        if count <= Self.fewMax { holdOnly(meetings, in: event) } else { mergeSingles(of: event) }
    }

    private mutating func holdOnly(_ meetings: [FieldMeeting], in event: EventFields) {
        var chosen: [Int32] = [EventFields.outermostScope]
        for var scope in meetings.lazy.flatMap({ $0.met + $0.present }) {
            while scope != EventFields.outermostScope {
                chosen.append(scope)
                scope = event.scopeOfArray[Int(event.arrayOfScope[Int(scope)])]
            }
        }
        scopes = Self.unique(chosen)
        let arrays = Self.unique(scopes.dropFirst().map { event.arrayOfScope[Int($0)] })
        arrayOfScope = [-1] + scopes.dropFirst().map { Self.position(of: event.arrayOfScope[Int($0)], in: arrays) }
        let scopes = scopes
        scopeOfArray = arrays.map { Self.position(of: event.scopeOfArray[Int($0)], in: scopes) }
    }

    private mutating func mergeSingles(of event: EventFields) {
        var elements = [Int32](repeating: 0, count: event.scopeOfArray.count)
        for array in event.arrayOfScope.dropFirst() { elements[Int(array)] += 1 }
        guard elements.contains(1) else { return }
        (arrayOfScope, scopeOfArray) = ([-1], [])
        var numberOfArray = [Int32](repeating: -1, count: elements.count)
        numbers.reserveCapacity(event.arrayOfScope.count)
        numbers.append(EventFields.outermostScope)
        // An outer scope comes before the scopes inside it.
        for array in event.arrayOfScope.dropFirst().lazy.map({ Int($0) }) {
            let owner = numbers[Int(event.scopeOfArray[array])]
            guard elements[array] > 1 else {
                numbers.append(owner)
                continue
            }
            if numberOfArray[array] < 0 {
                numberOfArray[array] = Int32(truncatingIfNeeded: scopeOfArray.count)
                scopeOfArray.append(owner)
            }
            numbers.append(Int32(truncatingIfNeeded: arrayOfScope.count))
            arrayOfScope.append(numberOfArray[array])
        }
    }

    /// The number here of a scope of the event.
    func number(of scope: Int32) -> Int32 {
        if !numbers.isEmpty { return numbers[Int(scope)] }
        return scopes.isEmpty ? scope : Self.position(of: scope, in: scopes)
    }

    private static func unique(_ numbers: [Int32]) -> [Int32] {
        var result: [Int32] = []
        for number in numbers.sorted() where result.last != number { result.append(number) }
        return result
    }

    /// The position of a number that is there.
    private static func position(of number: Int32, in numbers: [Int32]) -> Int32 {
        var low = 0
        var high = numbers.count
        while low < high {
            let middle = (low + high) / 2
            if numbers[middle] < number { low = middle + 1 } else { high = middle }
        }
        return Int32(truncatingIfNeeded: low)
    }
}
