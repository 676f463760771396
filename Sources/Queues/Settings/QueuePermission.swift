import Rules

/// What AddPermission says of a queue: a statement of its policy, kept and told, and checked by nobody (see `AllowingPolicy`).
package struct QueuePermission: Sendable {
    /// The name that RemovePermission takes.
    package let label: String
    package let accounts: [String]
    /// Without the service's name before them; `*` for all.
    package let actions: [String]

    /// What the service lets an owner give to others.
    private static let givenActions: Set = [
        "*", "ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl", "ListDeadLetterSourceQueues", "PurgeQueue",
        "ReceiveMessage", "SendMessage",
    ]
    private static let labelBytesMax = 80
    private static let accountDigits = 12
    private static let entriesMax = 7

    /// - Throws: for what the service would not take, by its name.
    package init(label: String, accounts: [String], actions: [String]) throws(QueueError) {
        guard (1...Self.labelBytesMax).contains(label.utf8.count), label.utf8.allSatisfy(Self.isLabelByte) else {
            throw .invalid(
                label, "Label", "Can only include alphanumeric characters, hyphens, or underscores. 1 to \(Self.labelBytesMax) in length.")
        }
        guard !accounts.isEmpty else { throw .missing("AWSAccountIds") }
        guard !actions.isEmpty else { throw .missing("Actions") }
        for account in accounts where account.utf8.count != Self.accountDigits || !account.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            throw .invalid(account, "AWSAccountIds", "Unable to verify.")
        }
        for action in actions where !Self.givenActions.contains(action) {
            throw .invalid("SQS:\(action)", "ActionName", "Only the queue owner is allowed to invoke this action.")
        }
        guard actions.count <= Self.entriesMax else {
            throw QueueError(.overLimit, "\(actions.count) Actions were found, maximum allowed is \(Self.entriesMax).")
        }
        (self.label, self.accounts, self.actions) = (label, accounts, actions)
    }

    private static func isLabelByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// As the service writes it: one of something without a list around it.
    func statement(queue arn: String) -> AllowingPolicy.Statement {
        var output: [UInt8] = []
        func append(_ text: String, _ values: [String]) {
            output += text.utf8
            if values.count > 1 { output.append(UInt8(ascii: "[")) }
            for (position, value) in values.enumerated() {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                JSONText.appendString(value.utf8, to: &output)
            }
            if values.count > 1 { output.append(UInt8(ascii: "]")) }
        }
        append(#"{"Sid":"#, [label])
        append(#","Effect":"Allow","Principal":{"AWS":"#, accounts.map { "arn:aws:iam::\($0):root" })
        append(#"},"Action":"#, actions.map { "SQS:\($0)" })
        append(#","Resource":"#, [arn])
        output.append(UInt8(ascii: "}"))
        return AllowingPolicy.Statement(id: label, json: output)
    }
}

/// The policy of a queue while a statement comes or goes.
struct QueuePolicy {
    private var head: [UInt8]
    private var statements: [AllowingPolicy.Statement]

    /// The one that the service begins with.
    init(queue arn: String) {
        head = Array(#"{"Version":"2008-10-17""#.utf8)
        Self.append(id: "\(arn)/SQSDefaultPolicy", to: &head)
        statements = []
    }

    init(_ policy: AllowingPolicy) {
        head = Array(#"{"Version":"\#(policy.version)""#.utf8)
        if let id = policy.id { Self.append(id: id, to: &head) }
        statements = policy.statements
    }

    private static func append(id: String, to head: inout [UInt8]) {
        head += #","Id":"#.utf8
        JSONText.appendString(id.utf8, to: &head)
    }

    mutating func add(_ statement: AllowingPolicy.Statement) throws(QueueError) {
        guard !statements.contains(where: { $0.id == statement.id }) else {
            throw .invalid(statement.id ?? "", "Label", "Already exists.")
        }
        statements.append(statement)
    }

    mutating func remove(_ label: String) throws(QueueError) {
        guard statements.contains(where: { $0.id == label }) else { throw .invalid(label, "Label", "can't find label on existing policy.") }
        statements.removeAll { $0.id == label }
    }

    /// Empty for a policy without statements, which is none.
    var text: String {
        guard !statements.isEmpty else { return "" }
        let list = statements.map(\.json).joined(separator: [UInt8(ascii: ",")])
        return String(decoding: head + #","Statement":["#.utf8 + list + "]}".utf8, as: UTF8.self)
    }
}

extension AllowingPolicy.Statement {
    /// How many it names; `*` is one.
    fileprivate var principalCount: Int {
        let root = try? JSONDocument(parsing: json, limits: JSONLimits(bytesMax: max(1, json.count))).root
        guard let principal = root?["Principal"] ?? root?["NotPrincipal"] else { return 0 }
        guard principal.kind == .object else { return 1 }
        return principal.members.reduce(0) { $0 + ($1.value.kind == .array ? Array($1.value.elements).count : 1) }
    }
}

extension QueueTable {
    /// Refuses a policy that is larger than the service takes one; see "Amazon SQS policy quotas".
    func checkSize(ofPolicy text: String?) throws(QueueError) {
        guard let text, let policy = try? AllowingPolicy(parsing: text) else { return }
        func check(_ count: Int, _ what: String, _ most: Int, _ name: String) throws(QueueError) {
            guard count > most else { return }
            throw QueueError(.overLimit, "\(count) \(what) were found in the policy, maximum allowed is \(most) (\(name)).")
        }
        try check(text.utf8.count, "bytes", limits.queuePolicyBytesMax, "queuePolicyBytesMax")
        try check(policy.statements.count, "statements", limits.queuePolicyStatementsMax, "queuePolicyStatementsMax")
        let principals = policy.statements.reduce(0) { $0 + $1.principalCount }
        try check(principals, "principals", limits.queuePolicyPrincipalsMax, "queuePolicyPrincipalsMax")
    }

    /// Adds a statement to the policy of a queue, whose ARN the caller knows.
    package mutating func addPermission(_ permission: QueuePermission, to name: String, arn: String, now: Int64) throws(QueueError) {
        try changePolicy(of: name, arn: arn, now: now) { (policy) throws(QueueError) in try policy.add(permission.statement(queue: arn)) }
    }

    package mutating func removePermission(_ label: String, from name: String, arn: String, now: Int64) throws(QueueError) {
        try changePolicy(of: name, arn: arn, now: now) { (policy) throws(QueueError) in try policy.remove(label) }
    }

    private mutating func changePolicy(
        of name: String, arn: String, now: Int64, _ change: (inout QueuePolicy) throws(QueueError) -> Void
    ) throws(QueueError) {
        let text = try settings(of: name).policy
        var policy = text.flatMap { try? AllowingPolicy(parsing: $0) }.map(QueuePolicy.init) ?? QueuePolicy(queue: arn)
        try change(&policy)
        try setAttributes(["Policy": policy.text], of: name, now: now)
    }
}
