import GRDB
import GRDBSQLite
import NIOCore

/// The rows of a query, read where SQLite has them: a start reads millions.
///
/// The values of a row are there until the next one is asked for.
@safe struct StoreRows {
    private let statement: Statement
    private let handle: SQLiteStatement

    init(_ db: Database, _ sql: String) throws {
        statement = try db.makeStatement(sql: sql)
        unsafe handle = statement.sqliteStatement
    }

    /// Goes to the next row; answers false behind the last one.
    func next() throws -> Bool {
        let code = unsafe sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        throw DatabaseError(resultCode: ResultCode(rawValue: code), message: "a row cannot be read", sql: statement.sql)
    }

    func isNull(_ column: Int32) -> Bool { unsafe sqlite3_column_type(handle, column) == SQLITE_NULL }

    /// - Throws: for what is none.
    func integer(_ column: Int32) throws -> Int64 {
        guard unsafe sqlite3_column_type(handle, column) == SQLITE_INTEGER else { throw RecordBytes.Damaged() }
        return unsafe sqlite3_column_int64(handle, column)
    }

    /// A number from 0 up.
    func number(_ column: Int32) throws -> UInt64 {
        guard let value = UInt64(exactly: try integer(column)) else { throw RecordBytes.Damaged() }
        return value
    }

    /// Hands the bytes over as they lie, for as long as `body` runs.
    func withBytes<Result>(_ column: Int32, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        guard unsafe sqlite3_column_type(handle, column) == SQLITE_BLOB else { throw RecordBytes.Damaged() }
        let start = unsafe sqlite3_column_blob(handle, column)
        let count = Int(unsafe sqlite3_column_bytes(handle, column))
        return try unsafe body(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// A copy of the bytes, without a checksum to look at.
    func bytes(_ column: Int32) throws -> ByteBuffer { try unsafe withBytes(column) { bytes in unsafe ByteBuffer(bytes: bytes) } }

    /// A copy of the fields, when their checksum is right.
    func fields(_ column: Int32, key: RowKey) throws -> ByteBuffer {
        try unsafe withBytes(column) { bytes in
            let count = try unsafe RecordBytes.checked(bytes, key: key)
            return unsafe ByteBuffer(bytes: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        }
    }
}

/// As ``RecordBytes/key(_:)`` of up to three numbers.
struct RowKey {
    var first: UInt64
    var second: UInt64?
    var third: UInt64?

    init(_ first: UInt64, _ second: UInt64? = nil, _ third: UInt64? = nil) {
        self.first = first
        self.second = second
        self.third = third
    }
}
