import Foundation
import NIOCore

/// The bytes of one row, with a checksum over them and over the row's key.
///
/// What a disk or a memory has changed is found when the row is read: it is never served.
enum RecordBytes {
    /// A row whose bytes are not those that were written.
    struct Damaged: Error {}

    /// Appends the checksum.
    static func seal(_ fields: ByteBuffer, key: ByteBuffer) -> Data {
        var sealed = fields
        sealed.writeInteger(checksum(fields, key: key), endianness: .little)
        return Data(sealed.readableBytesView)
    }

    /// Takes the checksum off.
    static func unseal(_ sealed: Data, key: ByteBuffer) throws(Damaged) -> ByteBuffer {
        try unseal(ByteBuffer(bytes: sealed), key: key)
    }

    static func unseal(_ sealed: ByteBuffer, key: ByteBuffer) throws(Damaged) -> ByteBuffer {
        var fields = sealed
        guard fields.readableBytes >= 8,
            let expected = fields.getInteger(at: fields.writerIndex - 8, endianness: .little, as: UInt64.self)
        else { throw Damaged() }
        fields.moveWriterIndex(to: fields.writerIndex - 8)
        guard checksum(fields, key: key) == expected else { throw Damaged() }
        return fields
    }

    /// Eight bytes at a time, each a step that no two values share, so that what changes in one place always shows.
    static func checksum(_ fields: ByteBuffer, key: ByteBuffer) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        add(key, to: &hash)
        add(fields, to: &hash)
        return hash
    }

    /// As of the number's eight bytes.
    static func checksum(_ number: UInt64, key: ByteBuffer) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        add(key, to: &hash)
        step(&hash, number.byteSwapped)
        step(&hash, 0)
        return hash
    }

    // MARK: Where rows lie

    /// Answers how many bytes of a sealed row are its fields.
    static func checked(_ sealed: UnsafeRawBufferPointer, key: RowKey) throws(Damaged) -> Int {
        let count = sealed.count - 8
        guard count >= 0 else { throw Damaged() }
        var hash = hash(of: key)
        var place = 0
        while place + 8 <= count {
            step(&hash, UInt64(littleEndian: unsafe sealed.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
            place += 8
        }
        var rest: UInt64 = 0
        let left = count - place
        while place < count {
            rest = rest << 8 | UInt64(unsafe sealed[place])
            place += 1
        }
        step(&hash, rest | UInt64(left) << 56)
        guard UInt64(littleEndian: unsafe sealed.loadUnaligned(fromByteOffset: count, as: UInt64.self)) == hash else { throw Damaged() }
        return count
    }

    /// As of the number's eight bytes.
    static func checksum(_ number: UInt64, key: RowKey) -> UInt64 {
        var hash = hash(of: key)
        step(&hash, number.byteSwapped)
        step(&hash, 0)
        return hash
    }

    private static func hash(of key: RowKey) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        step(&hash, key.first.byteSwapped)
        if let second = key.second { step(&hash, second.byteSwapped) }
        if let third = key.third { step(&hash, third.byteSwapped) }
        step(&hash, 0)
        return hash
    }

    private static func add(_ buffer: ByteBuffer, to hash: inout UInt64) {
        var place = buffer.readerIndex
        while let word = buffer.getInteger(at: place, endianness: .little, as: UInt64.self) {
            step(&hash, word)
            place += 8
        }
        let count = buffer.writerIndex - place  // less than eight
        var rest: UInt64 = 0
        while let byte = buffer.getInteger(at: place, as: UInt8.self) {
            rest = rest << 8 | UInt64(byte)
            place += 1
        }
        step(&hash, rest | UInt64(count) << 56)
    }

    private static func step(_ hash: inout UInt64, _ word: UInt64) {
        hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 32  // or the highest bits would never reach the others
    }

    /// As ``key(_:)``, in storage that is there already.
    static func setKey(_ key: inout ByteBuffer, _ first: UInt64, _ second: UInt64) {
        key.clear()
        key.writeInteger(first)
        key.writeInteger(second)
    }

    static func key(_ parts: UInt64...) -> ByteBuffer {
        var key = ByteBuffer()
        for part in parts { key.writeInteger(part) }
        return key
    }
}

/// A number that changes in place, with 16 bits that tell whether it is the one that was written.
enum CheckedNumber {
    /// The greatest number that can be kept.
    static let max: UInt64 = (1 << 47) - 1

    static func seal(_ number: UInt64, key: ByteBuffer) -> Int64 {
        Int64(bitPattern: min(number, max) << 16 | check(number, key: key))
    }

    static func unseal(_ sealed: Int64, key: ByteBuffer) throws(RecordBytes.Damaged) -> UInt64 {
        try unseal(sealed) { RecordBytes.checksum($0, key: key) }
    }

    static func unseal(_ sealed: Int64, key: RowKey) throws(RecordBytes.Damaged) -> UInt64 {
        try unseal(sealed) { RecordBytes.checksum($0, key: key) }
    }

    private static func unseal(_ sealed: Int64, _ checksum: (UInt64) -> UInt64) throws(RecordBytes.Damaged) -> UInt64 {
        let bits = UInt64(bitPattern: sealed)
        let number = bits >> 16
        guard fold(checksum(number)) == bits & 0xFFFF else { throw RecordBytes.Damaged() }
        return number
    }

    private static func check(_ number: UInt64, key: ByteBuffer) -> UInt64 { fold(RecordBytes.checksum(number, key: key)) }

    private static func fold(_ hash: UInt64) -> UInt64 {
        (hash ^ hash >> 16 ^ hash >> 32 ^ hash >> 48) & 0xFFFF
    }
}

extension ByteBuffer {
    mutating func writeField(_ bytes: ByteBuffer) {
        writeInteger(UInt32(clamping: bytes.readableBytes))
        writeImmutableBuffer(bytes)
    }

    mutating func writeField(_ text: String) { writeField(ByteBuffer(string: text)) }

    /// A value that may be missing.
    mutating func writeOptional<Value>(_ value: Value?, _ write: (inout ByteBuffer, Value) -> Void) {
        writeInteger(UInt8(value == nil ? 0 : 1))
        if let value { write(&self, value) }
    }

    mutating func number<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws(RecordBytes.Damaged) -> Value {
        guard let value = readInteger(as: type) else { throw RecordBytes.Damaged() }
        return value
    }

    mutating func field() throws(RecordBytes.Damaged) -> ByteBuffer {
        guard let bytes = readSlice(length: Int(try number(UInt32.self))) else { throw RecordBytes.Damaged() }
        return bytes
    }

    mutating func text() throws(RecordBytes.Damaged) -> String { String(buffer: try field()) }

    mutating func optional<Value>(
        _ read: (inout ByteBuffer) throws(RecordBytes.Damaged) -> Value
    ) throws(RecordBytes.Damaged) -> Value? {
        try number(UInt8.self) == 0 ? nil : try read(&self)
    }
}
