import HTTPListening
import Synchronization

/// The pages in force, which a reload replaces while requests are answered.
final class CurrentPages: Sendable {
    private let table: Mutex<PageTable>

    init(_ table: PageTable) {
        self.table = Mutex(table)
    }

    var value: PageTable { table.withLock { $0 } }

    func replace(with next: PageTable) {
        table.withLock { $0 = next }
    }
}
