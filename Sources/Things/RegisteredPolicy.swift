import Documents
import EventBus
import Rights
import Rules

/// A policy that came by AWS IoT's API, with its versions, of which one is in force.
package struct RegisteredPolicy: Sendable {
    package struct Version: Sendable {
        package let number: Int
        /// JSON, as it was given.
        package let text: String
        package let createdMilliseconds: Int64
        let policy: Policy
    }

    package let name: String
    package internal(set) var versions: [Version]
    package internal(set) var defaultNumber: Int
    /// Numbers are not used again.
    var lastNumber: Int
    package internal(set) var modifiedMilliseconds: Int64

    package var createdMilliseconds: Int64 { versions.first?.createdMilliseconds ?? modifiedMilliseconds }
    package var inForce: Version? { version(defaultNumber) }

    package func version(_ number: Int) -> Version? { versions.first { $0.number == number } }

    /// Reads the document of a policy.
    ///
    /// - Parameters:
    ///   - text: JSON.
    ///   - name: the policy's.
    ///   - location: the call that it came by.
    ///   - limits: of which the length is looked at; nil for what was taken before, whatever is asked of new ones by now.
    /// - Returns: what it allows and denies.
    /// - Throws: every mistake in it.
    static func read(_ text: String, named name: String, at location: SourceLocation, _ limits: ThingLimits?) throws(ControlError) -> Policy
    {
        if let limits, text.utf8.count > limits.iotPolicyBytesMax {
            throw ControlError(
                .malformedPolicy, "A policy may have iotPolicyBytesMax (\(limits.iotPolicyBytesMax)) bytes, not \(text.utf8.count).")
        }
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(parsing: Array(text.utf8), limits: JSONLimits(bytesMax: max(1, text.utf8.count)))
        } catch { throw ControlError(.malformedPolicy, "The policy document is not valid JSON: \(error).") }
        // What is said twice, or said to be nothing, may be meant to deny.
        if limits != nil, document.repeatsMembers || document.hasNulls {
            throw ControlError(.malformedPolicy, "The policy document has a member twice, or one that is null.")
        }
        do throws(DocumentError) { return try Policy(name: name, document: Node(document.root, at: location)) } catch {
            throw ControlError(.malformedPolicy, error)
        }
    }
}
