/// A policy document of a resource that allows something and forbids nothing.
///
/// It is kept and told, and nobody checks it: what allows something takes nothing from anybody, and whoever reaches a listener that takes
/// unsigned requests may do all of it. What forbids something is refused, since it would have to be enforced.
package struct AllowingPolicy: Sendable {
    package struct Statement: Sendable {
        /// Nil for one that a whole policy has without.
        package let id: String?
        package let json: [UInt8]

        package init(id: String?, json: [UInt8]) {
            self.id = id
            self.json = json
        }
    }

    package enum Refusal: Error, Sendable {
        case invalid(String)
        /// A statement that forbids something, named.
        case denial(String)
    }

    package static let version = "2012-10-17"
    /// They differ in what variables stand for, and nothing here stands for anything.
    private static let versions = [version, "2008-10-17"]

    /// As it was given.
    package let version: String
    package let id: String?
    package let statements: [Statement]

    /// Reads a whole policy, in JSON.
    ///
    /// - Throws: what is wrong with it, or what it forbids.
    package init(parsing text: String) throws(Refusal) {
        guard let root = try? JSONDocument(parsing: Array(text.utf8), limits: JSONLimits(bytesMax: max(1, text.utf8.count))).root,
            root.kind == .object
        else { throw .invalid("it is not a JSON object") }
        if let unknown = root.members.first(where: { !["Version", "Id", "Statement"].contains($0.name) }) {
            throw .invalid("`\(unknown.name)` is no member of a policy")
        }
        version = root["Version"]?.stringValue ?? Self.versions[1]
        guard Self.versions.contains(version) else {
            throw .invalid("Version must be \(Self.versions.joined(separator: " or "))")
        }
        id = root["Id"]?.stringValue
        guard let given = root["Statement"] else { throw .invalid("it lacks Statement") }
        var statements: [Statement] = []
        for element in given.kind == .array ? Array(given.elements) : [given] { statements.append(try Self.read(element)) }
        guard !statements.isEmpty else { throw .invalid("Statement is empty") }
        self.statements = statements
    }

    private static func read(_ statement: JSONView) throws(Refusal) -> Statement {
        guard statement.kind == .object else { throw .invalid("a statement is not a JSON object") }
        let known = ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"]
        if let unknown = statement.members.first(where: { !known.contains($0.name) }) {
            throw .invalid("`\(unknown.name)` is no member of a statement")
        }
        let id = statement["Sid"]?.stringValue
        for name in ["Principal", "Action", "Resource"] where statement[name] == nil && statement["Not\(name)"] == nil {
            throw .invalid("a statement lacks \(name)")
        }
        switch statement["Effect"]?.stringValue {
        case "Allow": return Statement(id: id, json: statement.rawJSON)
        case "Deny": throw .denial(id ?? "without Sid")
        default: throw .invalid("the Effect of a statement must be Allow or Deny")
        }
    }
}
