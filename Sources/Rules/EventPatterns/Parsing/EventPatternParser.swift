/// Reads the JSON of an event pattern into fields and the conjunctions they make.
///
/// Keeps its own stack: the depth of a pattern costs no call stack.
struct EventPatternParser {
    struct Result {
        var fields: [EventPattern.Field] = []
        var combinations: [[Int]] = []
    }

    /// A combination: the number of the field for each path, where the last naming of a path counts.
    private typealias Combination = [Int: Int]

    private enum Frame {
        case object(next: Int, end: Int, segments: [ArraySlice<UInt8>], isBranch: Bool)
        /// The branches of one `$or`: what was before it, and what its branches have made so far.
        case alternatives(next: Int, end: Int, segments: [ArraySlice<UInt8>], before: [Combination], made: [Combination], count: Int)
    }

    /// Names that a field inside `$or` must not have.
    private static let reservedNames: Set<String> = [
        "exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr", "=", "<", "<=", ">",
        ">=", "regex", "not-wildcard", "not-equals-ignore-case", "date-after", "date-on-or-after", "date-before", "date-on-or-before",
        "in-date-range", "ip-address-in-range", "ip-address-not-in-range",
    ]

    private let tape: JSONTape
    private var frames: [Frame] = []
    private var combinations: [Combination] = [[:]]
    private var fields: [EventPattern.Field] = []
    private var pathOfField: [Int] = []
    private var numberOfPath: [ByteKey: Int] = [:]

    private init(_ tape: JSONTape) { self.tape = tape }

    static func parse(_ json: [UInt8]) throws(EventPatternError) -> Result {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(parsing: json)
        } catch {
            throw .syntax(error, in: json)
        }
        let root = document.root
        guard root.kind == .object else { throw .invalid("Filter is not an object") }
        guard root.rawJSON.count <= EventPattern.bytesMax else {
            throw .unsupported("a pattern of more than \(EventPattern.bytesMax) bytes is not supported", at: "pattern")
        }
        var parser = EventPatternParser(root.tape)
        try parser.enterObject(root.index, segments: [], isBranch: false)
        while let frame = parser.frames.popLast() { try parser.advance(frame) }
        return parser.result()
    }

    /// Members with the same key are all read, as the service's parser does: the last naming of a path counts, not of an object.
    private mutating func enterObject(_ index: Int, segments: [ArraySlice<UInt8>], isBranch: Bool) throws(EventPatternError) {
        let end = tape.indexAfter(index)
        guard end > index + 1 else { throw .invalid("Empty objects are not allowed") }
        frames.append(.object(next: index + 1, end: end, segments: segments, isBranch: isBranch))
    }

    private mutating func advance(_ frame: Frame) throws(EventPatternError) {
        switch frame {
        case .object(let key, let end, let segments, let isBranch):
            guard key < end else { return }
            frames.append(.object(next: tape.indexAfter(key + 1), end: end, segments: segments, isBranch: isBranch))
            try readMember(key, segments: segments, isBranch: isBranch)
        case .alternatives(let next, let end, let segments, let before, var made, let count):
            if count > 0 { made += combinations }
            guard made.count <= EventPattern.combinationsMax else {
                let what = "$or that makes more than \(EventPattern.combinationsMax) combinations is not supported"
                throw .unsupported(what, at: Self.text(of: segments + [ArraySlice("$or".utf8)]))
            }
            guard next < end else {
                guard count >= 2 else { throw .invalid("There must have at least 2 Objects in $or relationship.") }
                combinations = made
                return
            }
            guard tape.nodes[next].kind == .object else {
                throw .invalid("Only JSON object is allowed in array of $or relationship.")
            }
            combinations = before
            frames.append(
                .alternatives(
                    next: tape.indexAfter(next), end: end, segments: segments, before: before, made: made, count: count + 1))
            try enterObject(next, segments: segments, isBranch: true)
        }
    }

    private mutating func readMember(_ key: Int, segments: [ArraySlice<UInt8>], isBranch: Bool) throws(EventPatternError) {
        let name = tape.string(key)
        let value = JSONView(tape: tape, index: key + 1)
        if name.elementsEqual("$or".utf8) {
            guard value.kind == .array else { throw .invalid("It must be an Array followed with $or.") }
            frames.append(
                .alternatives(
                    next: value.index + 1, end: tape.indexAfter(value.index), segments: segments, before: combinations, made: [], count: 0))
            return
        }
        let text = String(decoding: name, as: UTF8.self)
        if isBranch, Self.reservedNames.contains(text) {
            throw .invalid("\(text) is Ruler reserved fieldName which cannot be used inside $or.")
        }
        let path = segments + PathTree.segments(of: name)
        switch value.kind {
        case .object: try enterObject(value.index, segments: path, isBranch: isBranch)
        case .array: try addField(value, segments: path)
        case .string, .number, .true, .false, .null: throw .invalid("\"\(text)\" must be an object or an array")
        }
    }

    private mutating func addField(_ values: JSONView, segments: [ArraySlice<UInt8>]) throws(EventPatternError) {
        let conditions = try MatchExpressionParser.conditions(values, at: Self.text(of: segments))
        let key = ByteKey(copying: segments.joined(separator: ".".utf8))
        let path = numberOfPath[key] ?? numberOfPath.count
        numberOfPath[key] = path
        guard fields.count < EventPattern.fieldsMax else {
            throw .unsupported("more than \(EventPattern.fieldsMax) fields in one pattern are not supported", at: Self.text(of: segments))
        }
        for index in combinations.indices { combinations[index][path] = fields.count }
        fields.append(EventPattern.Field(segments: segments.map { ArraySlice(Array($0)) }, conditions: FieldConditions(conditions)))
        pathOfField.append(path)
    }

    private func result() -> Result {
        // Names of which a later one took the place are gone.
        let used = Set(combinations.flatMap(\.values)).sorted { left, right in
            fields[left].path.utf8.lexicographicallyPrecedes(fields[right].path.utf8)
        }
        var result = Result()
        var number: [Int: Int] = [:]
        for field in used {
            number[field] = result.fields.count
            result.fields.append(fields[field])
        }
        result.combinations = combinations.map { $0.values.compactMap { number[$0] }.sorted() }
        return result
    }

    private static func text(of segments: [ArraySlice<UInt8>]) -> String {
        String(decoding: Array(segments.joined(separator: ".".utf8)), as: UTF8.self)
    }
}
