import Synchronization

/// The routes in force, which a reload replaces while requests are answered.
///
/// A request keeps the routes that it began with.
final class CurrentRoutes: Sendable {
    private let table: Mutex<RouteTable>

    init(_ table: RouteTable) {
        self.table = Mutex(table)
    }

    var value: RouteTable { table.withLock { $0 } }

    func replace(with next: RouteTable) {
        table.withLock { $0 = next }
    }
}
