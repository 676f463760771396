/// Reads the named fields of an event straight from its bytes, in one pass.
///
/// What no pattern names is passed over: its brackets and quotes are counted, its values are not looked at. The reader knows the
/// plain case only; where a key is escaped, comes twice with something else between, or too many spell paths with dots, it gives up, and the
/// event is parsed.
struct EventReader: Sendable {
    struct Frame: Sendable {
        let path: Int32
        let scope: Int32
        /// The array being read; -1 for an object.
        let array: Int32
        /// The number of the object.
        let object: Int
    }

    var position = 0
    private var frames: [Frame] = []
    /// For each path the last object that named it, to find keys that come twice.
    private var namedIn: [Int] = []
    /// For each path the last object in which it had a scalar.
    private var scalarIn: [Int] = []
    private var objectCount = 0
    /// Keys with dots that patterns name, with the objects they stand in: what they lead to may be named inside as well.
    private var dotted: [(path: Int32, object: Int)] = []

    private static let dottedMax = 16

    /// Whether the event could be read so; the bytes should be JSON, and what is found in others has no meaning.
    mutating func read(_ bytes: Span<UInt8>, paths: PathTree, into fields: inout EventFields) -> Bool {
        fields.reset()
        frames.removeAll(keepingCapacity: true)
        if namedIn.count < paths.capacity {
            namedIn += [Int](repeating: 0, count: paths.capacity - namedIn.count)
            scalarIn += [Int](repeating: 0, count: paths.capacity - scalarIn.count)
        }
        if !dotted.isEmpty { dotted.removeAll(keepingCapacity: true) }
        position = 0
        skipWhitespace(bytes)
        guard bytes.count <= Int(Int32.max), position < bytes.count, bytes[position] == UInt8(ascii: "{") else { return false }
        position += 1
        var frame = object(PathTree.root, in: EventFields.outermostScope)
        frames.append(frame)
        var isFirst = true
        while true {
            skipWhitespace(bytes)
            guard position < bytes.count else { return false }
            if bytes[position] == (frame.array >= 0 ? UInt8(ascii: "]") : UInt8(ascii: "}")) {
                position += 1
                frames.removeLast()
                guard let outer = frames.last else { return true }
                frame = outer
                isFirst = false
                continue
            }
            if !isFirst {
                guard bytes[position] == UInt8(ascii: ",") else { return false }
                position += 1
                skipWhitespace(bytes)
            }
            let depth = frames.count
            if frame.array >= 0 {
                guard readElement(of: frame, bytes, paths: paths, into: &fields) else { return false }
            } else {
                guard readMember(of: frame, bytes, paths: paths, into: &fields) else { return false }
            }
            isFirst = frames.count > depth
            if isFirst, let inner = frames.last { frame = inner }
        }
    }

    private mutating func object(_ path: Int32, in scope: Int32) -> Frame {
        objectCount += 1
        return Frame(path: path, scope: scope, array: -1, object: objectCount)
    }

    private mutating func readMember(
        of frame: Frame, _ bytes: Span<UInt8>, paths: PathTree, into fields: inout EventFields
    ) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return false }
        let start = position + 1
        guard let (end, hasDots) = keyEnd(bytes, from: start) else { return false }
        position = end + 1
        skipWhitespace(bytes)
        guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { return false }
        position += 1
        skipWhitespace(bytes)
        let path =
            hasDots
            ? paths.descend(from: frame.path, bytes, from: start, to: end) : paths.child(of: frame.path, bytes, from: start, to: end)
        guard path != PathTree.none else { return skipValue(bytes) }
        if hasDots {
            guard dotted.count < Self.dottedMax, !dotted.contains(where: { $0 == (path, frame.object) }) else { return false }
            dotted.append((path, frame.object))
        } else {
            if namedIn[Int(path)] == frame.object {
                guard position < bytes.count, replacesScalar(path, of: frame, bytes, paths: paths, in: &fields) else { return false }
            } else {
                namedIn[Int(path)] = frame.object
            }
            if position < bytes.count, !Self.opensContainer(bytes[position]) { scalarIn[Int(path)] = frame.object }
        }
        return readValue(at: path, in: frame.scope, bytes, paths: paths, into: &fields)
    }

    @inline(__always)
    private static func opensContainer(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") }

    /// Whether a key that comes again has a scalar once more, in place of the one before, which is taken back: the last one wins.
    private func replacesScalar(
        _ path: Int32, of frame: Frame, _ bytes: Span<UInt8>, paths: PathTree, in fields: inout EventFields
    ) -> Bool {
        guard scalarIn[Int(path)] == frame.object, !Self.opensContainer(bytes[position]) else { return false }
        return !paths.isField(path) || fields.takeBack(at: path)
    }

    private mutating func readElement(
        of frame: Frame, _ bytes: Span<UInt8>, paths: PathTree, into fields: inout EventFields
    ) -> Bool {
        guard position < bytes.count else { return false }
        switch bytes[position] {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let scope = fields.openScope(in: frame.array)
            return readValue(at: frame.path, in: scope, bytes, paths: paths, into: &fields)
        default:
            return readValue(at: frame.path, in: frame.scope, bytes, paths: paths, into: &fields)
        }
    }

    private mutating func readValue(
        at path: Int32, in scope: Int32, _ bytes: Span<UInt8>, paths: PathTree, into fields: inout EventFields
    ) -> Bool {
        guard position < bytes.count else { return false }
        switch bytes[position] {
        case UInt8(ascii: "{"):
            guard paths.hasChildren(path) else { return skipContainer(bytes) }
            position += 1
            frames.append(object(path, in: scope))
            return true
        case UInt8(ascii: "["):
            position += 1
            frames.append(Frame(path: path, scope: scope, array: fields.openArray(in: scope), object: 0))
            return true
        case _ where !paths.isField(path):
            return skipValue(bytes)
        case UInt8(ascii: "\""):
            return readString(at: path, in: scope, bytes, into: &fields)
        case UInt8(ascii: "t"): return readWord("true", .true, at: path, in: scope, bytes, into: &fields)
        case UInt8(ascii: "f"): return readWord("false", .false, at: path, in: scope, bytes, into: &fields)
        case UInt8(ascii: "n"): return readWord("null", .null, at: path, in: scope, bytes, into: &fields)
        default:
            return readNumber(at: path, in: scope, bytes, into: &fields)
        }
    }

    private mutating func readWord(
        _ word: StaticString, _ kind: EventFields.Kind, at path: Int32, in scope: Int32, _ bytes: Span<UInt8>,
        into fields: inout EventFields
    ) -> Bool {
        position += word.utf8CodeUnitCount
        fields.record(kind, at: path, in: scope, from: fields.text.count)
        return position <= bytes.count
    }
}
