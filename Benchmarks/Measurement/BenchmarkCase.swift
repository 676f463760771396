/// One thing that is measured.
package struct BenchmarkCase {
    /// A name without spaces, by which the command line picks the case.
    package var name: String
    /// Bytes on the wire per operation, where that means something.
    package var bytes: Int?
    /// How many operations one call of ``run`` does.
    package var operations: Int
    /// Does the operations; what it returns is kept, so that no work can be left out.
    package var run: () -> Int

    package init(name: String, bytes: Int? = nil, operations: Int, run: @escaping () -> Int) {
        self.name = name
        self.bytes = bytes
        self.operations = operations
        self.run = run
    }
}
