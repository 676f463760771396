import Rules
import Testing

@testable import Queues

@Suite struct QueuePermissionTests {
    private let arn = "arn:aws:sqs:us-east-1:000000000000:orders"

    private func add(
        _ label: String, _ accounts: [String] = ["111111111111"], _ actions: [String] = ["SendMessage"], to queue: inout QueueFixture
    ) throws(QueueError) {
        let permission = try QueuePermission(label: label, accounts: accounts, actions: actions)
        try queue.table.addPermission(permission, to: "orders", arn: arn, now: queue.now)
    }

    @Test func aStatementComesAndGoes() throws {
        var queue = try QueueFixture()
        try add("bar", to: &queue)
        let first =
            #"{"Sid":"bar","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"SQS:SendMessage","#
            + #""Resource":"\#(arn)"}"#
        let head = #"{"Version":"2008-10-17","Id":"\#(arn)/SQSDefaultPolicy","Statement":["#
        #expect(try queue.attribute("Policy") == head + first + "]}")
        try add("shop", ["111111111111", "222222222222"], ["*", "GetQueueUrl"], to: &queue)
        let policy = try #require(try queue.attribute("Policy"))
        #expect(policy.hasPrefix(head + first + ","))
        #expect(policy.hasSuffix(#""Action":["SQS:*","SQS:GetQueueUrl"],"Resource":"\#(arn)"}]}"#))
        #expect(code { () throws(QueueError) in try add("shop", to: &queue) } == .invalidParameterValue)
        try queue.table.removePermission("shop", from: "orders", arn: arn, now: queue.now)
        #expect(try queue.attribute("Policy") == head + first + "]}")
        try queue.table.removePermission("bar", from: "orders", arn: arn, now: queue.now)
        #expect(try queue.attribute("Policy") == nil)
        let gone = code { () throws(QueueError) in
            try queue.table.removePermission("bar", from: "orders", arn: arn, now: queue.now)
        }
        #expect(gone == .invalidParameterValue)
    }

    @Test func aPolicyThatWasGivenWholeKeepsItsHead() throws {
        let whole =
            #"{"Version":"2012-10-17","Id":"mine","Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}]}"#
        var queue = try QueueFixture(["orders": ["Policy": whole]])
        try add("bar", to: &queue)
        let policy = try #require(try queue.attribute("Policy"))
        #expect(policy.hasPrefix(whole.dropLast(2)))
        #expect(policy.contains(#""Sid":"bar""#))
    }

    @Test("A policy has no more bytes, statements and principals than its limits say, however it comes")
    func sizes() throws {
        var limits = QueueLimits()
        (limits.queuePolicyStatementsMax, limits.queuePolicyPrincipalsMax) = (3, 5)
        var queue = try QueueFixture(limits: limits, ["orders": [:]])
        try add("a", ["111111111111", "222222222222", "333333333333"], to: &queue)
        #expect(code { () throws(QueueError) in try add("b", ["111111111111", "222222222222", "333333333333"], to: &queue) } == .overLimit)
        for label in ["b", "c"] { try add(label, to: &queue) }
        #expect(code { () throws(QueueError) in try add("d", to: &queue) } == .overLimit)
        let statement = #"{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}"#
        let whole = #"{"Statement":[\#(Array(repeating: statement, count: 4).joined(separator: ","))]}"#
        let long = #"{"Id":"\#(String(repeating: "i", count: 8_192))","Statement":\#(statement)}"#
        for policy in [whole, long] {
            let set = code { () throws(QueueError) in try queue.table.setAttributes(["Policy": policy], of: "orders", now: queue.now) }
            #expect(set == .overLimit)
            let created = code { () throws(QueueError) in
                try queue.table.create(try QueueName("other"), attributes: ["Policy": policy], tags: [:], now: queue.now)
            }
            #expect(created == .overLimit)
        }
        // What is there already stays when limits are lowered, and so does the rest of the queue.
        try queue.table.setAttributes(["DelaySeconds": "1"], of: "orders", now: queue.now)
        #expect(QueueLimits().queuePolicyBytesMax == 8_192)
    }

    @Test(arguments: [
        ("", ["111111111111"], ["SendMessage"], QueueError.Code.invalidParameterValue),
        ("a b", ["111111111111"], ["SendMessage"], .invalidParameterValue), ("l", [], ["SendMessage"], .missingParameter),
        ("l", ["1"], ["SendMessage"], .invalidParameterValue), ("l", ["111111111111"], [], .missingParameter),
        ("l", ["111111111111"], ["CreateQueue"], .invalidParameterValue), ("l", ["111111111111"], ["sendmessage"], .invalidParameterValue),
        ("l", ["111111111111"], Array(repeating: "SendMessage", count: 8), .overLimit),
    ])
    func whatNoOwnerCanGiveIsRefused(label: String, accounts: [String], actions: [String], expected: QueueError.Code) throws {
        var queue = try QueueFixture()
        #expect(code { () throws(QueueError) in try add(label, accounts, actions, to: &queue) } == expected)
    }
}
