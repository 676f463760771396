extension EventFields {
    private struct Frame {
        var position: Int
        let end: Int
        let path: Int32
        let scope: Int32
        /// The array being walked; nil for an object.
        let array: Int32?
    }

    /// Reads an event from its parsed form.
    ///
    /// Anything but an object has no fields.
    mutating func read(_ event: JSONView, paths: PathTree) {
        reset()
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
                    enter(element, of: tape, path: frame.path, scope: openScope(in: array), paths: paths, frames: &frames)
                } else {
                    record(element, of: tape, path: frame.path, scope: frame.scope, paths: paths)
                }
            } else {
                let key = frame.position
                frames[last].position = tape.indexAfter(key + 1)
                guard !tape.nodes[key].flags.contains(.superseded) else { continue }
                let path = paths.descend(from: frame.path, key: tape.string(key))
                guard path != PathTree.none else { continue }
                if tape.nodes[key + 1].isContainer {
                    enter(key + 1, of: tape, path: path, scope: frame.scope, paths: paths, frames: &frames)
                } else {
                    record(key + 1, of: tape, path: path, scope: frame.scope, paths: paths)
                }
            }
        }
    }

    private mutating func enter(
        _ container: Int, of tape: JSONTape, path: Int32, scope: Int32, paths: PathTree, frames: inout [Frame]
    ) {
        let isArray = tape.nodes[container].kind == .array
        guard isArray || paths.hasChildren(path) else { return }
        let array = isArray ? openArray(in: scope) : nil
        frames.append(
            Frame(position: container + 1, end: tape.indexAfter(container), path: path, scope: scope, array: array)
        )
    }

    private mutating func record(_ index: Int, of tape: JSONTape, path: Int32, scope: Int32, paths: PathTree) {
        guard paths.isField(path) else { return }
        let start = text.count
        switch tape.nodes[index].kind {
        case .object, .array: break
        case .string:
            text += tape.string(index)
            record(.string, at: path, in: scope, from: start)
        case .number: recordNumber(tape.spelling(index), at: path, in: scope)
        case .true: record(.true, at: path, in: scope, from: start)
        case .false: record(.false, at: path, in: scope, from: start)
        case .null: record(.null, at: path, in: scope, from: start)
        }
    }

    mutating func recordNumber(_ spelling: ArraySlice<UInt8>, at path: Int32, in scope: Int32) {
        let start = text.count
        if let number = NumberKey.comparable(spelling) {
            record(.number, at: path, in: scope, from: start, bits: NumberKey.ordered(number))
        } else {
            text += spelling
            record(.spelling, at: path, in: scope, from: start)
        }
    }
}
