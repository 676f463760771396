import GRDB

/// Why there can be no store.
package struct StoreError: Error, CustomStringConvertible {
    /// A file of a later version.
    struct Newer: Error {}

    /// A file of another program.
    struct Foreign: Error {}

    package let description: String

    init(_ directory: String, _ error: any Error) {
        switch error {
        case is Newer: description = "data: \(directory) was written by a later version of Crema; start that one, or take another directory"
        case is Foreign:
            description =
                "data: \(directory)/\(DurableStore.fileName) is a database of another program; take it away, or take another directory"
        case let error as DatabaseError where error.resultCode == .SQLITE_BUSY:
            self = .inUse(directory)
        default: description = "data: \(directory) cannot be used: \(error)"
        }
    }

    init(_ description: String) { self.description = description }

    static func inUse(_ directory: String) -> StoreError {
        StoreError("data: \(directory) is in use by another process; end it, or take another directory")
    }
}
