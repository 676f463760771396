package import Records
import Synchronization

/// Stands for the store: what it was handed is there for whoever begins anew with it.
package final class RecordsInMemory: RecordStore {
    private struct State {
        var records: [RecordKey: [UInt8]] = [:]
        var isFailing = false
        var isFull = false
        var appends: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    package func append(_ changes: [RecordChange]) {
        state.withLock { state in
            state.appends += 1
            for change in changes {
                switch change {
                case .put(let record): state.records[record.key] = record.fields
                case .remove(let key): state.records[key] = nil
                case .removeAll(let prefix):
                    state.records = state.records.filter { $0.key.kind != prefix.kind || !$0.key.bytes.starts(with: prefix.bytes) }
                }
            }
        }
    }

    package var isFailing: Bool {
        get { state.withLock { $0.isFailing } }
        set { state.withLock { $0.isFailing = newValue } }
    }

    package var isFull: Bool {
        get { state.withLock { $0.isFull } }
        set { state.withLock { $0.isFull = newValue } }
    }

    package func settle() async throws(NotKept) { if isFailing { throw NotKept() } }

    package var number: UInt64 { state.withLock { $0.appends } }

    /// What a start finds.
    package var records: [KeptRecord] {
        state.withLock { $0.records }.map { KeptRecord($0.key, $0.value) }
            .sorted { ($0.key.kind.rawValue, Text($0.key.bytes)) < ($1.key.kind.rawValue, Text($1.key.bytes)) }
    }

    package func records(of kind: RecordKind) -> [KeptRecord] { records.filter { $0.key.kind == kind } }

    private struct Text: Comparable {
        let bytes: [UInt8]
        init(_ bytes: [UInt8]) { self.bytes = bytes }
        static func < (left: Text, right: Text) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
    }
}
