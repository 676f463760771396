import Documents
import Rules

/// What PutPermission said of a bus: it is kept and told, and nobody checks it yet.
///
/// So only what gives is taken: a statement that allows something takes nothing from anybody, and whoever reaches a listener that takes
/// unsigned requests may do all of it. What forbids something is refused, since it would have to be enforced.
struct BusPolicy: Sendable {
    struct Statement: Sendable {
        /// Nil for one that a whole policy has without.
        let id: String?
        let json: [UInt8]
    }

    private static let version = "2012-10-17"

    private let head: [UInt8]
    private(set) var statements: [Statement]

    init() {
        head = Array(#"{"Version":"\#(Self.version)""#.utf8)
        statements = []
    }

    /// Reads a whole policy.
    ///
    /// - Throws: what is wrong with it, or what it forbids.
    init(parsing text: String) throws(ControlError) {
        guard let root = try? JSONDocument(parsing: Array(text.utf8), limits: JSONLimits(bytesMax: max(1, text.utf8.count))).root,
            root.kind == .object
        else { throw Self.invalid("it is not a JSON object") }
        if let unknown = root.members.first(where: { !["Version", "Id", "Statement"].contains($0.name) }) {
            throw Self.invalid("`\(unknown.name)` is no member of a policy")
        }
        if let version = root["Version"]?.stringValue, version != Self.version { throw Self.invalid("Version must be \(Self.version)") }
        var head = Self().head
        if let id = root["Id"]?.stringValue {
            head += #","Id":"#.utf8
            appendJSONString(id, to: &head)
        }
        self.head = head
        guard let given = root["Statement"] else { throw Self.invalid("it lacks Statement") }
        statements = []
        for element in given.kind == .array ? Array(given.elements) : [given] { statements.append(try Self.read(element)) }
        guard !statements.isEmpty else { throw Self.invalid("Statement is empty") }
    }

    private static func read(_ statement: JSONView) throws(ControlError) -> Statement {
        guard statement.kind == .object else { throw invalid("a statement is not a JSON object") }
        let known = ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"]
        if let unknown = statement.members.first(where: { !known.contains($0.name) }) {
            throw invalid("`\(unknown.name)` is no member of a statement")
        }
        let id = statement["Sid"]?.stringValue
        for name in ["Principal", "Action", "Resource"] where statement[name] == nil && statement["Not\(name)"] == nil {
            throw invalid("a statement lacks \(name)")
        }
        switch statement["Effect"]?.stringValue {
        case "Allow": return Statement(id: id, json: statement.rawJSON)
        case "Deny":
            throw ControlError(
                .validation,
                "Effect Deny of statement \(id ?? "without Sid") is not supported by Crema: nothing checks yet who puts events on a bus, "
                    + "so that it would not be kept. Allow is taken.")
        default: throw invalid("the Effect of a statement must be Allow or Deny")
        }
    }

    private static func invalid(_ reason: String) -> ControlError {
        ControlError(.validation, "Parameter Policy is not valid. Reason: \(reason).")
    }

    /// Adds a statement, or puts it in the place of the one with the same identifier.
    mutating func put(_ statement: Statement) {
        if let place = statements.firstIndex(where: { $0.id == statement.id }) {
            statements[place] = statement
        } else {
            statements.append(statement)
        }
    }

    /// Answers false where there is none with the identifier.
    mutating func remove(_ id: String) -> Bool {
        let count = statements.count
        statements.removeAll { $0.id == id }
        return statements.count < count
    }

    var json: [UInt8] {
        var output = head
        output += #","Statement":["#.utf8
        for (position, statement) in statements.enumerated() {
            if position > 0 { output.append(UInt8(ascii: ",")) }
            output += statement.json
        }
        output += "]}".utf8
        return output
    }
}

/// A statement as PutPermission takes it by its parts.
package struct BusPermission: Sendable {
    package var id: String
    package var action: String
    /// An account, or `*`.
    package var principal: String
    package var condition: (type: String, key: String, value: String)?

    package init(id: String, action: String, principal: String, condition: (type: String, key: String, value: String)? = nil) {
        self.id = id
        self.action = action
        self.principal = principal
        self.condition = condition
    }

    func statement(bus arn: String) -> BusPolicy.Statement {
        var output: [UInt8] = []
        func append(_ text: String, _ value: String) {
            output += text.utf8
            appendJSONString(value, to: &output)
        }
        append(#"{"Sid":"#, id)
        output += #","Effect":"Allow","Principal":"#.utf8
        if principal == "*" {
            append("", "*")
        } else {
            append(#"{"AWS":"#, "arn:aws:iam::\(principal):root")
            output += "}".utf8
        }
        append(#","Action":"#, action)
        append(#","Resource":"#, arn)
        if let condition {
            append(#","Condition":{"#, condition.type)
            append(":{", condition.key)
            append(":", condition.value)
            output += "}}".utf8
        }
        output += "}".utf8
        return BusPolicy.Statement(id: id, json: output)
    }
}
