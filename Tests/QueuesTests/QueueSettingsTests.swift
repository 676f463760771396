import Queues
import Testing

@Suite struct QueueSettingsTests {
    @Test(arguments: [
        ("VisibilityTimeout", "43201", QueueError.Code.invalidAttributeValue), ("VisibilityTimeout", "-1", .invalidAttributeValue),
        ("VisibilityTimeout", "x", .invalidAttributeValue), ("MessageRetentionPeriod", "59", .invalidAttributeValue),
        ("DelaySeconds", "901", .invalidAttributeValue), ("ReceiveMessageWaitTimeSeconds", "21", .invalidAttributeValue),
        ("MaximumMessageSize", "1023", .invalidAttributeValue), ("Colour", "red", .invalidAttributeName),
        ("FifoQueue", "true", .invalidAttributeName), ("ContentBasedDeduplication", "true", .invalidAttributeName),
        ("KmsMasterKeyId", "alias/key", .invalidAttributeName), ("Policy", "{}", .invalidAttributeValue),
        ("SqsManagedSseEnabled", "yes", .invalidAttributeValue), ("RedriveAllowPolicy", "{}", .invalidParameterValue),
        ("QueueArn", "x", .invalidAttributeName), ("RedrivePolicy", "x", .invalidParameterValue),
        ("RedrivePolicy", "[]", .invalidParameterValue), ("RedrivePolicy", "{}", .invalidParameterValue),
        ("RedrivePolicy", #"{"deadLetterTargetArn":"arn:aws:sqs:r:a:nowhere","maxReceiveCount":1}"#, .invalidParameterValue),
        ("RedrivePolicy", #"{"deadLetterTargetArn":"arn:aws:sqs:r:a:other","maxReceiveCount":0}"#, .invalidParameterValue),
        ("RedrivePolicy", #"{"deadLetterTargetArn":"arn:aws:sqs:r:a:orders","maxReceiveCount":1}"#, .invalidParameterValue),
        ("RedrivePolicy", #"{"deadLetterTargetArn":"arn:aws:sqs:r:a:other","maxReceiveCount":1,"x":1}"#, .invalidParameterValue),
        ("Policy", #"{"Statement":{"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*"}}"#, .invalidAttributeValue),
        ("Policy", #"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sqs:*"}}"#, .invalidAttributeValue),
        ("RedriveAllowPolicy", #"{"redrivePermission":"byQueue"}"#, .invalidParameterValue),
        ("RedriveAllowPolicy", #"{"redrivePermission":"byQueue","sourceQueueArns":["orders"]}"#, .invalidParameterValue),
        ("RedriveAllowPolicy", #"{"redrivePermission":"denyAll","sourceQueueArns":["arn:aws:sqs:r:a:orders"]}"#, .invalidParameterValue),
        ("RedriveAllowPolicy", #"{"redrivePermission":"some"}"#, .invalidParameterValue),
    ])
    func whatIsNotSupportedIsRefusedByItsName(name: String, value: String, expected: QueueError.Code) throws {
        var queue = try QueueFixture(["orders": [:], "other": [:]])
        let before = try queue.table.attributes(of: "orders", now: queue.now)
        do throws(QueueError) {
            try queue.table.setAttributes(["DelaySeconds": "1"].merging([name: value]) { $1 }, of: "orders", now: queue.now)
            Issue.record("\(name)=\(value) is accepted")
        } catch {
            #expect(error.code == expected)
            #expect(error.message.contains(name) || name == "RedrivePolicy")
        }
        #expect(try queue.table.attributes(of: "orders", now: queue.now) == before)
    }

    @Test func attributesAreShownAsTheyWereSet() throws {
        var queue = try QueueFixture(["orders": [:], "dead": [:]])
        let policy = #"{"maxReceiveCount": "3", "deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead"}"#
        try queue.table.setAttributes(["VisibilityTimeout": "5", "RedrivePolicy": policy], of: "orders", now: queue.now)
        #expect(try queue.attribute("VisibilityTimeout") == "5")
        #expect(try queue.attribute("RedrivePolicy") == policy)
        #expect(try queue.attribute("MessageRetentionPeriod") == "345600")
        try queue.table.setAttributes(["RedrivePolicy": ""], of: "orders", now: queue.now)
        #expect(try queue.attribute("RedrivePolicy") == nil)
    }

    @Test("A policy that allows something is kept as it was given, and taken away by an empty text")
    func policiesAreKept() throws {
        var queue = try QueueFixture(["orders": [:]])
        let policy = #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"*"}]}"#
        try queue.table.setAttributes(["Policy": policy], of: "orders", now: queue.now)
        #expect(try queue.attribute("Policy") == policy)
        try queue.table.setAttributes(["Policy": ""], of: "orders", now: queue.now)
        #expect(try queue.attribute("Policy") == nil)
    }

    @Test("A dead-letter queue says whose dead letters it takes")
    func theDeadLetterQueueChooses() throws {
        var queue = try QueueFixture(["orders": [:], "others": [:], "dead": [:]])
        let policy = #"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":3}"#
        func allow(_ text: String) throws { try queue.table.setAttributes(["RedriveAllowPolicy": text], of: "dead", now: queue.now) }
        func use(_ name: String, _ count: String = "3") -> QueueError.Code? {
            let policy = policy.replacing(":3", with: ":\(count)")
            return code { () throws(QueueError) in try queue.table.setAttributes(["RedrivePolicy": policy], of: name, now: queue.now) }
        }
        let byQueue = #"{"redrivePermission":"byQueue","sourceQueueArns":["arn:aws:sqs:us-east-1:000000000000:orders"]}"#
        try allow(byQueue)
        #expect(try queue.table.attributes(of: "dead", now: queue.now)["RedriveAllowPolicy"] == byQueue)
        #expect(use("orders") == nil)
        #expect(use("others") == .invalidParameterValue)
        try allow(#"{"redrivePermission":"denyAll"}"#)
        // What is there stays, and is not asked for anew.
        #expect(use("orders") == nil)
        #expect(use("orders", "4") == .invalidParameterValue)
        try allow(#"{"redrivePermission":"allowAll"}"#)
        #expect(use("others") == nil)
    }

    @Test("Encryption by the service, which is its default, is told where it was asked for, and makes no other queue of one")
    func encryptionByTheServiceIsTold() throws {
        let name = "SqsManagedSseEnabled"
        var queue = try QueueFixture(["orders": [name: "true"], "plain": [name: "false"]])
        #expect(try queue.attribute(name) == "true")
        #expect(try queue.table.attributes(of: "plain", now: queue.now)[name] == nil)
        try queue.create("plain", [name: "true"])
        try queue.create("orders", [name: "false"])
        try queue.create("orders")
        #expect(try queue.attribute(name) == "true")
        try queue.table.setAttributes([name: "false"], of: "orders", now: queue.now)
        #expect(try queue.attribute(name) == nil)
    }

    @Test func aQueueIsCreatedOnce() throws {
        var queue = try QueueFixture(["orders": ["VisibilityTimeout": "5"]])
        try queue.create("orders")
        try queue.create("orders", ["VisibilityTimeout": "5"])
        #expect(code { () throws(QueueError) in try queue.create("orders", ["VisibilityTimeout": "6"]) } == .queueNameExists)
        #expect(try queue.attribute("VisibilityTimeout") == "5")
    }

    @Test(arguments: ["", "a b", "a/b", ".fifo", "a.b", "a.fifo.b", "é", String(repeating: "a", count: 81)])
    func aNameThatIsNoneIsRefused(name: String) throws {
        #expect(throws: QueueError.self) { try QueueName(name) }
    }

    @Test func queuesAreKnownByTheirARNsAndTheirURLs() {
        #expect(QueueName(arn: "arn:aws:sqs:us-east-1:000000000000:orders")?.text == "orders")
        #expect(QueueName(arn: "arn:aws:sns:us-east-1:000000000000:orders") == nil)
        #expect(QueueName(arn: "arn:aws:sqs:us-east-1:000000000000:a:b") == nil)
        #expect(QueueName(url: "http://localhost:8080/000000000000/orders")?.text == "orders")
        #expect(QueueName(url: "orders")?.text == "orders")
        #expect(QueueName(url: "http://localhost:8080/orders") == nil)
        #expect(QueueName(url: "http://localhost/1/2/orders") == nil)
        #expect(QueueName(url: "http://localhost/1/a%20b") == nil)
    }

    @Test func aTemplatesQueueKeepsItsMessagesOverAReload() throws {
        var queue = try QueueFixture([:])
        try queue.table.declare([QueueDeclaration(name: "shop", settings: QueueSettings())], now: queue.now)
        try queue.send("a", to: "shop")
        var settings = QueueSettings()
        try settings.set(["VisibilityTimeout": "0"])
        try queue.table.declare([QueueDeclaration(name: "shop", settings: settings, tags: ["team": "bar"])], now: queue.now)
        #expect(try queue.bodies("shop", 1) == ["a"])
        #expect(try queue.bodies("shop", 1) == ["a"])
        #expect(try queue.table.tags(of: "shop") == ["team": "bar"])
        let declared = "The queue shop is declared by a template; change it there."
        #expect(throws: QueueError(.unsupportedOperation, declared)) { try queue.table.deleteQueue("shop") }
        #expect(throws: QueueError(.unsupportedOperation, declared)) {
            try queue.table.setAttributes(["VisibilityTimeout": "1"], of: "shop", now: queue.now)
        }
        try queue.table.declare([], now: queue.now)
        #expect(try queue.bodies("shop", 1) == ["a"])
    }

    @Test func tagsAreAddedAndTakenAway() throws {
        var queue = try QueueFixture()
        try queue.table.tag("orders", with: ["a": "1", "b": "2"])
        try queue.table.tag("orders", with: ["b": "3"])
        try queue.table.untag("orders", keys: ["a", "unknown"])
        #expect(try queue.table.tags(of: "orders") == ["b": "3"])
        let many = Dictionary(uniqueKeysWithValues: (0..<50).map { ("t\($0)", "") })
        #expect(code { () throws(QueueError) in try queue.table.tag("orders", with: many) } == .invalidParameterValue)
    }

    @Test(
        "A queue has at most 50 tags with keys of 1 to 128 and values of up to 256 characters, also from its beginning",
        arguments: [
            (50, 128, 256, nil), (51, 1, 0, .invalidParameterValue), (1, 129, 0, .invalidParameterValue),
            (1, 0, 0, .invalidParameterValue), (1, 1, 257, .invalidParameterValue),
        ] as [(Int, Int, Int, QueueError.Code?)])
    func tagLimits(count: Int, key: Int, value: Int, expected: QueueError.Code?) throws {
        let tags = Dictionary(
            uniqueKeysWithValues: (0..<count).map { number in
                let digits = count > 1 ? String(number) : ""
                return (digits + String(repeating: "é", count: max(0, key - digits.count)), String(repeating: "é", count: value))
            })
        var queue = try QueueFixture()
        let now = queue.now
        #expect(code { () throws(QueueError) in try queue.table.tag("orders", with: tags) } == expected)
        #expect(
            code { () throws(QueueError) in try queue.table.create(QueueName("new"), attributes: [:], tags: tags, now: now) } == expected)
        #expect(queue.table.hasQueue("new") == (expected == nil))
    }
}
