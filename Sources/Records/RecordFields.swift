/// Writes the fields of a record, one after the other.
package struct RecordWriter {
    package private(set) var bytes: [UInt8] = []

    /// Begins with the version of what follows.
    package init(version: UInt8 = 1) { bytes.append(version) }

    package mutating func add(_ number: Int64) {
        let bits = UInt64(bitPattern: number)
        for place in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(56 - place * 8))) }
    }

    package mutating func add(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

    package mutating func add(_ field: [UInt8]) {
        add(Int64(field.count))
        bytes += field
    }

    package mutating func add(_ text: String) {
        add(Int64(text.utf8.count))
        bytes += text.utf8
    }

    /// A value that may be missing.
    package mutating func add<Value>(_ value: Value?, _ write: (inout RecordWriter, Value) -> Void) {
        add(value != nil)
        if let value { write(&self, value) }
    }

    package mutating func add(_ text: String?) { add(text) { $0.add($1) } }

    package mutating func add<Elements: Collection>(_ elements: Elements, each write: (inout RecordWriter, Elements.Element) -> Void) {
        add(Int64(elements.count))
        for element in elements { write(&self, element) }
    }

    /// In the order of their names.
    package mutating func add(_ texts: [String: String]) {
        add(texts.sorted { $0.key < $1.key }) { writer, entry in
            writer.add(entry.key)
            writer.add(entry.value)
        }
    }
}

/// Reads the fields that a ``RecordWriter`` wrote.
package struct RecordReader {
    private let what: String
    package let version: UInt8
    private var rest: ArraySlice<UInt8>

    /// - Parameters:
    ///   - record: what is read.
    ///   - newest: the newest version of its fields that is known.
    /// - Throws: for another version.
    package init(_ record: KeptRecord, upTo newest: UInt8 = 1) throws(UnreadableRecord) {
        what = "\(record.key.kind) \(String(decoding: record.key.bytes, as: UTF8.self).filter { !$0.isASCII || $0 >= " " })"
        rest = record.fields[...]
        version = rest.popFirst() ?? 0
        guard version > 0, version <= newest else { throw UnreadableRecord("\(what): it has another version") }
    }

    /// What to throw for fields that are there and mean nothing.
    package func unreadable(_ reason: String) -> UnreadableRecord { UnreadableRecord("\(what): \(reason)") }

    package mutating func number() throws(UnreadableRecord) -> Int64 {
        guard rest.count >= 8 else { throw unreadable("it is too short") }
        defer { rest = rest.dropFirst(8) }
        return Int64(bitPattern: rest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }

    package mutating func flag() throws(UnreadableRecord) -> Bool {
        guard let byte = rest.popFirst() else { throw unreadable("it is too short") }
        return byte != 0
    }

    package mutating func field() throws(UnreadableRecord) -> [UInt8] {
        let count = try number()
        guard count >= 0, count <= rest.count else { throw unreadable("it is too short") }
        defer { rest = rest.dropFirst(Int(count)) }
        return Array(rest.prefix(Int(count)))
    }

    package mutating func text() throws(UnreadableRecord) -> String { String(decoding: try field(), as: UTF8.self) }

    package mutating func optional<Value>(
        _ read: (inout RecordReader) throws(UnreadableRecord) -> Value
    ) throws(UnreadableRecord) -> Value? {
        try flag() ? try read(&self) : nil
    }

    package mutating func optionalText() throws(UnreadableRecord) -> String? {
        try optional { (reader) throws(UnreadableRecord) in try reader.text() }
    }

    package mutating func optionalNumber() throws(UnreadableRecord) -> Int64? {
        try optional { (reader) throws(UnreadableRecord) in try reader.number() }
    }

    package mutating func list<Value>(
        _ read: (inout RecordReader) throws(UnreadableRecord) -> Value
    ) throws(UnreadableRecord) -> [Value] {
        var values: [Value] = []
        for _ in 0..<max(0, try number()) { values.append(try read(&self)) }
        return values
    }

    package mutating func texts() throws(UnreadableRecord) -> [String: String] {
        let pairs = try list { (reader) throws(UnreadableRecord) in (try reader.text(), try reader.text()) }
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }
}
