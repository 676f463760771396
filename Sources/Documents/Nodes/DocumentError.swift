/// What is wrong with a document, and where.
///
/// Reading goes on after a mistake wherever the rest still makes sense, so that one run of `crema check` names them all.
/// An error therefore carries one problem or more; ``location`` and ``message`` are those of the first.
package struct DocumentError: Error, Equatable, CustomStringConvertible {
    /// One mistake.
    package struct Problem: Sendable, Hashable, CustomStringConvertible {
        package var location: SourceLocation
        package var message: String

        package var description: String { "\(location): \(message)" }
    }

    package let first: Problem
    package let others: [Problem]

    package init(_ message: String, at location: SourceLocation) {
        first = Problem(location: location, message: message)
        others = []
    }

    fileprivate init(first: Problem, others: [Problem]) {
        self.first = first
        self.others = others
    }

    package var location: SourceLocation { first.location }
    package var message: String { first.message }
    /// All of them, in the order found.
    package var problems: [Problem] { [first] + others }

    /// `file:line:column: message`, one line for each problem.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}

extension Sequence {
    /// Reads each element: a mistake in one does not hide those of the others.
    ///
    /// - Throws: the problems of all together.
    package func readEach<Value>(_ read: (Element) throws(DocumentError) -> Value) throws(DocumentError) -> [Value] {
        var problems = ProblemCollector()
        var values: [Value] = []
        for element in self {
            if let value = problems.collect({ () throws(DocumentError) in try read(element) }) { values.append(value) }
        }
        try problems.finish()
        return values
    }
}

/// Collects the problems of several steps that do not depend on each other.
package struct ProblemCollector {
    package private(set) var problems: [DocumentError.Problem] = []

    package init() {}

    /// Runs one step; answers `nil` and keeps the problems when it fails.
    package mutating func collect<Value>(_ step: () throws(DocumentError) -> Value) -> Value? {
        do {
            return try step()
        } catch {
            problems += error.problems
            return nil
        }
    }

    package mutating func add(_ message: String, at location: SourceLocation) {
        problems.append(DocumentError.Problem(location: location, message: message))
    }

    package mutating func add(_ error: DocumentError) {
        problems += error.problems
    }

    /// Ends the steps: throws everything that was collected, if anything was.
    package func finish() throws(DocumentError) {
        guard let first = problems.first else { return }
        throw DocumentError(first: first, others: Array(problems.dropFirst()))
    }
}
