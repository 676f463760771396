/// The scalars of an event at the paths that patterns name, sorted by path, with the array elements they lie in.
///
/// Arrays vanish from paths. What remains of them is the scope: each object or array inside an array opens one. Scopes are
/// numbered so that an outer scope comes before the scopes inside it. Scalars directly in an array belong to the scope
/// around the array: an array of scalars is one field with several values.
struct EventFields {
    struct Entry {
        let path: Int
        let scope: Int
        let key: ValueKey
        /// The decoded content if the value is a string.
        let string: ArraySlice<UInt8>?
    }

    /// The scope of everything outside arrays.
    static let outermostScope = 0

    private(set) var entries: [Entry] = []
    /// For each scope the array it is an element of; -1 for the outermost.
    private(set) var arrayOfScope = [-1]
    /// For each array the scope it lies in.
    private(set) var scopeOfArray: [Int] = []

    private struct Frame {
        var position: Int
        let end: Int
        let path: Int
        let scope: Int
        /// The array being walked; nil for an object.
        let array: Int?
    }

    /// Reads an event.
    ///
    /// Anything but an object has no fields.
    init(_ event: JSONView, paths: PathTree) {
        guard event.kind == .object else { return }
        let tape = event.tape
        var frames: [Frame] = []
        enter(event.index, of: tape, path: PathTree.root, scope: EventFields.outermostScope, paths: paths, frames: &frames)
        while let frame = frames.last {
            guard frame.position < frame.end else {
                frames.removeLast()
                continue
            }
            let last = frames.count - 1
            if let array = frame.array {
                let element = frame.position
                frames[last].position = tape.indexAfter(element)
                if tape.nodes[element].isContainer {
                    arrayOfScope.append(array)
                    enter(element, of: tape, path: frame.path, scope: arrayOfScope.count - 1, paths: paths, frames: &frames)
                } else {
                    record(element, of: tape, path: frame.path, scope: frame.scope, paths: paths)
                }
            } else {
                let key = frame.position
                frames[last].position = tape.indexAfter(key + 1)
                guard !tape.nodes[key].flags.contains(.superseded),
                    let path = paths.descend(from: frame.path, key: tape.string(key))
                else { continue }
                if tape.nodes[key + 1].isContainer {
                    enter(key + 1, of: tape, path: path, scope: frame.scope, paths: paths, frames: &frames)
                } else {
                    record(key + 1, of: tape, path: path, scope: frame.scope, paths: paths)
                }
            }
        }
        // Order inside one path does not matter: a condition asks whether some value satisfies it.
        entries.sort { $0.path < $1.path }
    }

    private mutating func enter(
        _ container: Int, of tape: JSONTape, path: Int, scope: Int, paths: PathTree, frames: inout [Frame]
    ) {
        let isArray = tape.nodes[container].kind == .array
        guard isArray || paths.hasChildren(path) else { return }
        var array: Int?
        if isArray {
            scopeOfArray.append(scope)
            array = scopeOfArray.count - 1
        }
        frames.append(
            Frame(position: container + 1, end: tape.indexAfter(container), path: path, scope: scope, array: array)
        )
    }

    private mutating func record(_ index: Int, of tape: JSONTape, path: Int, scope: Int, paths: PathTree) {
        guard paths.isField(path) else { return }
        let value = JSONView(tape: tape, index: index)
        guard let key = ValueKey(value) else { return }
        entries.append(Entry(path: path, scope: scope, key: key, string: value.stringBytes))
    }

    /// All values at a path.
    func values(at path: Int) -> ArraySlice<Entry> {
        let start = firstIndex { $0.path >= path }
        let end = firstIndex { $0.path > path }
        return entries[start..<end]
    }

    private func firstIndex(where isPast: (Entry) -> Bool) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = low + (high - low) / 2
            if isPast(entries[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
