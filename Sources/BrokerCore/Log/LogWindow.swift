/// Lets one line per subject and second into the log and counts the others, so that a client in a loop cannot fill a disk.
package struct LogWindow: Sendable {
    /// Subjects of one second; further ones share the subject `others`.
    package static let subjectsMax = 4_096
    package static let others = "others"

    private var left: [String: Int] = [:]

    package init() {}

    package var isEmpty: Bool { left.isEmpty }

    /// Whether this is the subject's first line in this second.
    package mutating func admits(_ subject: String) -> Bool {
        if let count = left[subject] {
            left[subject] = count + 1
            return false
        }
        if left.count >= Self.subjectsMax {
            left[Self.others, default: 0] += 1
            return false
        }
        left[subject] = 0
        return true
    }

    /// Ends the second.
    ///
    /// Answers who was left out and how often, by name.
    package mutating func close() -> [(subject: String, count: Int)] {
        defer { left.removeAll() }
        return left.filter { $0.value > 0 }.map { (subject: $0.key, count: $0.value) }.sorted { $0.subject < $1.subject }
    }
}
