import Documents
import Rules

/// What PutPermission said of a bus: it is kept and told, and nobody checks it yet; see ``AllowingPolicy``.
struct BusPolicy: Sendable {
    typealias Statement = AllowingPolicy.Statement

    private let head: [UInt8]
    private(set) var statements: [Statement]

    init() {
        head = Array(#"{"Version":"\#(AllowingPolicy.version)""#.utf8)
        statements = []
    }

    /// Reads a whole policy.
    ///
    /// - Throws: what is wrong with it, or what it forbids.
    init(parsing text: String) throws(ControlError) {
        let policy: AllowingPolicy
        do throws(AllowingPolicy.Refusal) { policy = try AllowingPolicy(parsing: text) } catch {
            switch error {
            case .invalid(let reason): throw ControlError(.validation, "Parameter Policy is not valid. Reason: \(reason).")
            case .denial(let statement):
                throw ControlError(
                    .validation,
                    "Effect Deny of statement \(statement) is not supported by Crema: nothing checks yet who puts events on a bus, "
                        + "so that it would not be kept. Allow is taken.")
            }
        }
        var head = Array(#"{"Version":"\#(policy.version)""#.utf8)
        if let id = policy.id {
            head += #","Id":"#.utf8
            appendJSONString(id, to: &head)
        }
        self.head = head
        statements = policy.statements
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
