import Rules

/// Finds the error of a function in an answer that is none by its status.
///
/// The service says in a header that a function failed. A runtime emulator answers 200 without it, with the document that the runtime
/// made of the error, or with a line that says how long the function was waited for.
package enum FunctionError {
    /// Bytes of an answer that are looked at; the service's answers are no longer.
    package static let answerBytesMax = 6_291_456

    /// The error's type; nil for the answer of a function that succeeded.
    package static func type(in body: [UInt8]) -> String? {
        if body.count <= timeout.count + 32, tellsTimeout(body[...]) { return "Task timed out" }
        guard body.count <= answerBytesMax,
            let root = try? JSONDocument(parsing: body, limits: JSONLimits(bytesMax: max(1, body.count))).root, root.kind == .object,
            let message = root["errorMessage"], message.kind == .string
        else { return nil }
        if let type = root["errorType"] { return type.stringValue }
        // Of a function that was stopped there is no type; any other document without one is a function's own.
        return message.stringBytes.map(tellsTimeout) == true ? "Task timed out" : nil
    }

    private static let timeout = Array("Task timed out after ".utf8)

    /// Whether it is `Task timed out after 3.00 seconds`, or a time and a number of the request before that.
    private static func tellsTimeout(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count < 256, text.reversed().starts(with: " seconds".utf8.reversed()) else { return false }
        return text.indices.contains { text[$0...].starts(with: timeout) }
    }
}
