/// The elements of arrays in which a pattern's fields are met, and what lies around them, numbered anew.
///
/// An event may have thousands of elements of which a rule is met in one.
struct ScopeTree: Sendable {
    /// Up to so many are numbered anew; where there are more, the event's own numbers do.
    private static let fewMax = 32

    /// For each scope the array it is an element of; -1 for the outermost.
    private(set) var arrayOfScope: [Int32]
    /// For each array the scope it lies in.
    private(set) var scopeOfArray: [Int32]
    /// The event's numbers of the scopes, ascending; empty where the numbers are the event's own.
    private var scopes: [Int32] = []

    init(holding meetings: [FieldMeeting], in event: EventFields) {
        (arrayOfScope, scopeOfArray) = (event.arrayOfScope, event.scopeOfArray)
        let count = meetings.reduce(0) { $0 + $1.met.count + $1.present.count }
        guard count <= Self.fewMax, event.arrayOfScope.count > 2 * Self.fewMax else { return }
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

    /// The number here of a scope of the event.
    func number(of scope: Int32) -> Int32 { scopes.isEmpty ? scope : Self.position(of: scope, in: scopes) }

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
