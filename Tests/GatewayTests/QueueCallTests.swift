import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Queues
import Rules
import Testing

@testable import Gateway

@Suite struct QueueCallTests {
    @Test func aMessageIsSentReceivedAndDeleted() async throws {
        let fixture = try GatewayFixture()
        let url = try await fixture.createQueue("orders")
        #expect(url == "http://localhost/000000000000/orders")
        let sent = try await fixture.queueCall("SendMessage", #"{"QueueUrl":"\#(url)","MessageBody":"{\"a\":1}"}"#)
        #expect(sent["MD5OfMessageBody"]?.stringValue == MD5.hexadecimal(of: #"{"a":1}"#.utf8))
        let received = try await fixture.queueCall("ReceiveMessage", #"{"QueueUrl":"\#(url)","AttributeNames":["SentTimestamp"]}"#)
        let message = try #require(received["Messages"]?[element: 0])
        #expect(message["Body"]?.stringValue == #"{"a":1}"#)
        #expect(message["MessageId"]?.stringValue == sent["MessageId"]?.stringValue)
        #expect(message["Attributes"]?["SentTimestamp"] != nil)
        #expect(message["Attributes"]?["SenderId"] == nil)
        let handle = try #require(message["ReceiptHandle"]?.stringValue)
        _ = try await fixture.queueCall("DeleteMessage", #"{"QueueUrl":"\#(url)","ReceiptHandle":"\#(handle)"}"#)
        let counts = try await fixture.queueCall(
            "GetQueueAttributes", #"{"QueueUrl":"\#(url)","AttributeNames":["ApproximateNumberOfMessagesNotVisible"]}"#)
        #expect(counts["Attributes"]?["ApproximateNumberOfMessagesNotVisible"]?.stringValue == "0")
        #expect(counts["Attributes"]?["QueueArn"] == nil)
    }

    @Test(
        "Errors have the shapes that clients of both protocols read",
        arguments: [
            ("DeleteQueue", #"{"QueueUrl":"http://h/1/nowhere"}"#, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue;Sender"),
            ("SendMessage", #"{"QueueUrl":"http://h/1/orders"}"#, "MissingRequiredParameterException", "MissingParameter;Sender"),
            ("SendMessage", #"{"QueueUrl":"no url"}"#, "InvalidAddress", "InvalidAddress;Sender"),
            ("CreateQueue", #"{"QueueName":"a.fifo"}"#, "InvalidParameterValueException", "InvalidParameterValue;Sender"),
            (
                "ReceiveMessage", #"{"QueueUrl":"http://h/1/orders","AttributeNames":["Colour"]}"#, "InvalidAttributeName",
                "InvalidAttributeName;Sender"
            ),
            (
                "SendMessageBatch", #"{"QueueUrl":"http://h/1/orders","Entries":[]}"#, "EmptyBatchRequest",
                "AWS.SimpleQueueService.EmptyBatchRequest;Sender"
            ),
            (
                "SendMessageBatch", #"{"QueueUrl":"http://h/1/orders","Entries":[{"Id":"a b","MessageBody":"m"}]}"#, "InvalidBatchEntryId",
                "AWS.SimpleQueueService.InvalidBatchEntryId;Sender"
            ),
        ])
    func errorShape(operation: String, body: String, code: String, older: String) async throws {
        let fixture = try GatewayFixture()
        _ = try await fixture.createQueue("orders")
        let response = try await fixture.queueResponse(operation, body)
        #expect(response.status == .badRequest)
        #expect(response.headers[.init("x-amzn-query-error")!] == older)
        #expect(response.headers[.init("x-amzn-ErrorType")!] == code)
        #expect(response.headers[.contentType] == "application/x-amz-json-1.0")
        let answer = try JSONDocument(parsing: Array(response.body.readableBytesView)).root
        #expect(answer["__type"]?.stringValue == "com.amazonaws.sqs#\(code)")
        #expect(answer["message"]?.stringValue?.isEmpty == false)
    }

    @Test(
        "What is not there is refused by its name",
        arguments: [
            ("ReceiveMessage", #"{"QueueUrl":"http://h/1/orders","ReceiveRequestAttemptId":"g"}"#, "ReceiveRequestAttemptId"),
            ("SendMessage", #"{"QueueUrl":"http://h/1/orders","MessageBody":"m","MessageColour":"red"}"#, "MessageColour"),
            ("PaintQueue", "{}", "AmazonSQS.PaintQueue"),
        ])
    func notSupported(operation: String, body: String, name: String) async throws {
        let fixture = try GatewayFixture()
        let response = try await fixture.queueResponse(operation, body)
        #expect(response.status == .badRequest)
        #expect(response.text.contains("\(name) is not supported by Crema"))
    }

    @Test(arguments: [
        "{", "[]", #"{"QueueName":1}"#, #"{"QueueName":"q","Attributes":{"DelaySeconds":1}}"#, #"{"QueueName":"q","tags":[]}"#,
    ])
    func aBodyOfAnotherShapeIsRefused(body: String) async throws {
        let response = try await GatewayFixture().queueResponse("CreateQueue", body)
        #expect(response.status == .badRequest)
        #expect(response.headers[.init("x-amzn-ErrorType")!] == "SerializationException")
    }

    @Test(
        "A queue may be asked for by its owner: every account is this one",
        arguments: [("111111111111", true), ("x", false), ("1", false), ("", false)])
    func aQueueOfAnOwner(account: String, isThere: Bool) async throws {
        let fixture = try GatewayFixture()
        _ = try await fixture.queueCall("CreateQueue", #"{"QueueName":"orders"}"#)
        let response = try await fixture.queueResponse("GetQueueUrl", #"{"QueueName":"orders","QueueOwnerAWSAccountId":"\#(account)"}"#)
        #expect(response.status == (isThere ? .ok : .badRequest))
        #expect(response.text.contains(isThere ? "/orders" : "QueueDoesNotExist"))
        let missing = try await fixture.queueResponse("GetQueueUrl", #"{"QueueName":"none","QueueOwnerAWSAccountId":"\#(account)"}"#)
        #expect(missing.text.contains("QueueDoesNotExist"))
    }

    @Test func aFIFOQueueTellsTheOrderAndTheDigests() async throws {
        let fixture = try GatewayFixture()
        _ = try await fixture.queueCall("CreateQueue", #"{"QueueName":"orders.fifo","Attributes":{"FifoQueue":"true"}}"#)
        let message =
            #""MessageBody":"m","MessageGroupId":"g","MessageDeduplicationId":"x","MessageSystemAttributes":{"AWSTraceHeader":"#
            + #"{"DataType":"String","StringValue":"Root=1"}}"#
        let sent = try await fixture.queueCall("SendMessage", #"{"QueueUrl":"orders.fifo",\#(message)}"#)
        #expect(sent["SequenceNumber"]?.stringValue?.count == 20)
        #expect(sent["MD5OfMessageSystemAttributes"]?.stringValue?.count == 32)
        let again = try await fixture.queueCall("SendMessageBatch", #"{"QueueUrl":"orders.fifo","Entries":[{"Id":"1",\#(message)}]}"#)
        #expect(again["Successful"]?[element: 0]?["MessageId"]?.stringValue == sent["MessageId"]?.stringValue)
        #expect(again["Successful"]?[element: 0]?["SequenceNumber"]?.stringValue == sent["SequenceNumber"]?.stringValue)
        let received = try await fixture.queueCall("ReceiveMessage", #"{"QueueUrl":"orders.fifo","AttributeNames":["All"]}"#)
        let attributes = try #require(received["Messages"]?[element: 0]?["Attributes"])
        #expect(attributes["MessageGroupId"]?.stringValue == "g" && attributes["MessageDeduplicationId"]?.stringValue == "x")
        #expect(attributes["AWSTraceHeader"]?.stringValue == "Root=1")
        #expect(attributes["SequenceNumber"]?.stringValue == sent["SequenceNumber"]?.stringValue)
        let batch = #"{"QueueUrl":"orders.fifo","Entries":[{"Id":"1",\#(message)},{"Id":"2","MessageBody":"m"}]}"#
        let refused = try await fixture.queueResponse("SendMessageBatch", batch)
        #expect(refused.headers[.init("x-amzn-ErrorType")!] == "InvalidParameterValueException")
        let other = message.replacing("AWSTraceHeader", with: "Colour")
        let unknown = try await fixture.queueResponse("SendMessage", #"{"QueueUrl":"orders.fifo",\#(other)}"#)
        #expect(unknown.text.contains("'Colour' is invalid"))
    }

    @Test func statementsOfAPolicyComeAndGo() async throws {
        let fixture = try GatewayFixture()
        let url = try await fixture.createQueue("orders")
        let statement = #""QueueUrl":"\#(url)","Label":"bar""#
        _ = try await fixture.queueCall("AddPermission", #"{\#(statement),"AWSAccountIds":["111111111111"],"Actions":["SendMessage"]}"#)
        let shown = try await fixture.queueCall("GetQueueAttributes", #"{"QueueUrl":"\#(url)","AttributeNames":["Policy"]}"#)
        #expect(shown["Attributes"]?["Policy"]?.stringValue?.contains(#""Sid":"bar""#) == true)
        _ = try await fixture.queueCall("RemovePermission", "{\(statement)}")
        let none = try await fixture.queueCall("GetQueueAttributes", #"{"QueueUrl":"\#(url)","AttributeNames":["Policy"]}"#)
        #expect(none["Attributes"] == nil)
        let empty = try await fixture.queueResponse("TagQueue", #"{"QueueUrl":"\#(url)","Tags":{}}"#)
        #expect(empty.headers[.init("x-amzn-ErrorType")!] == "MissingRequiredParameterException")
    }

    @Test func aServiceThatIsNotThereIsNamed() async throws {
        let fixture = try GatewayFixture()
        var headers = GatewayFixture.headers()
        headers[.init("X-Amz-Target")!] = "DynamoDB_20120810.GetItem"
        let response = try await fixture.post("/", headers: headers, body: "{}")
        #expect(response.headers[.init("x-amzn-ErrorType")!] == "UnknownOperationException")
        #expect(response.text.contains("DynamoDB_20120810.GetItem"))
    }

    @Test func aBatchThatIsTooLongIsRefusedAsAWhole() async throws {
        let fixture = try GatewayFixture()
        let url = try await fixture.createQueue("orders")
        let body = String(repeating: "a", count: 524_289)
        let entries = ["a", "b"].map { #"{"Id":"\#($0)","MessageBody":"\#(body)"}"# }.joined(separator: ",")
        let response = try await fixture.queueResponse("SendMessageBatch", #"{"QueueUrl":"\#(url)","Entries":[\#(entries)]}"#)
        #expect(response.text.contains("Batch requests cannot be longer than 1048576 bytes. You have sent 1048578 bytes."))
    }

    @Test func anEntryThatTheQueueWouldRefuseHarmsNoOther() async throws {
        let fixture = try GatewayFixture()
        let url = try await fixture.createQueue("orders")
        let entries = [
            #"{"Id":"none"}"#, #"{"Id":"bad","MessageBody":"m","MessageAttributes":{"a":{"StringValue":"x"}}}"#,
            #"{"Id":"good","MessageBody":"m"}"#,
        ]
        let answer = try await fixture.queueCall(
            "SendMessageBatch", #"{"QueueUrl":"\#(url)","Entries":[\#(entries.joined(separator: ","))]}"#)
        #expect(answer["Successful"]?.elements.map { $0["Id"]?.stringValue } == ["good"])
        #expect(answer["Failed"]?.elements.map { $0["Id"]?.stringValue } == ["none", "bad"])
        #expect(answer["Failed"]?.elements.map { $0["Code"]?.stringValue } == ["MissingParameter", "InvalidParameterValue"])
    }

    @Test(
        "Lists of attributes to receive have at most 100 entries",
        arguments: ["AttributeNames", "MessageSystemAttributeNames", "MessageAttributeNames"])
    func attributeLists(list: String) async throws {
        let fixture = try GatewayFixture()
        let url = try await fixture.createQueue("orders")
        func status(_ count: Int) async throws -> HTTPResponse.Status {
            let names = Array(repeating: #""All""#, count: count).joined(separator: ",")
            return try await fixture.queueResponse("ReceiveMessage", #"{"QueueUrl":"\#(url)","\#(list)":[\#(names)]}"#).status
        }
        #expect(try await status(100) == .ok)
        #expect(try await status(101) == .badRequest)
    }

    @Test func aListenerThatIsNotAnonymousRefuses() async throws {
        let response = try await GatewayFixture(anonymous: false).queueResponse("ListQueues", "{}")
        #expect(response.status == .forbidden)
    }

    @Test func attributesOfAMessageAreSelectedByTheirNames() async throws {
        let fixture = try GatewayFixture()
        let url = try await fixture.createQueue("orders")
        let attributes = #"{"shop.city":{"DataType":"String","StringValue":"nyc"},"count":{"DataType":"Number","StringValue":"1"}}"#
        _ = try await fixture.queueCall("SendMessage", #"{"QueueUrl":"\#(url)","MessageBody":"m","MessageAttributes":\#(attributes)}"#)
        for (asked, expected) in [
            (#"["All"]"#, ["count", "shop.city"]), (#"["shop.*"]"#, ["shop.city"]), (#"["count"]"#, ["count"]), ("[]", []), (#"["x"]"#, []),
        ] as [(String, [String])] {
            let received = try await fixture.queueCall(
                "ReceiveMessage", #"{"QueueUrl":"\#(url)","VisibilityTimeout":0,"MessageAttributeNames":\#(asked)}"#)
            let message = try #require(received["Messages"]?[element: 0])
            #expect((message["MessageAttributes"]?.members.map(\.name) ?? []) == expected)
            #expect((message["MD5OfMessageAttributes"] != nil) == !expected.isEmpty)
        }
    }

    @Test func queuesAreListedByPages() async throws {
        let fixture = try GatewayFixture()
        for name in ["a1", "a2", "a3", "b"] { _ = try await fixture.createQueue(name) }
        let first = try await fixture.queueCall("ListQueues", #"{"QueueNamePrefix":"a","MaxResults":2}"#)
        let token = try #require(first["NextToken"]?.stringValue)
        let second = try await fixture.queueCall("ListQueues", #"{"QueueNamePrefix":"a","MaxResults":2,"NextToken":"\#(token)"}"#)
        let urls = [first, second].flatMap { $0["QueueUrls"]?.elements.compactMap(\.stringValue) ?? [] }
        #expect(urls == ["a1", "a2", "a3"].map { "http://localhost/000000000000/\($0)" })
        #expect(second["NextToken"] == nil)
        for other in [#""MaxResults":2"#, #""QueueNamePrefix":"b""#] {
            let refused = try await fixture.queueResponse("ListQueues", #"{\#(other),"NextToken":"\#(token)"}"#)
            #expect(
                refused.text == #"{"__type":"com.amazonaws.sqs#InvalidParameterValueException","message":"Invalid or expired next token."}"#
            )
        }
    }

    /// Damages valid requests at random; the seed is in the test's arguments.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func damagedRequestsAreAnsweredAndNeverTrap(seed: UInt64) async throws {
        let fixture = try GatewayFixture()
        let url = try await fixture.createQueue("orders")
        let handle = "1-2-00000000-0000-4000-8000-000000000000"
        let message =
            #""MessageBody":"m","DelaySeconds":9,"MessageAttributes":{"a":{"DataType":"Binary","BinaryValue":"AP8K"},"b":{"DataType":"#
            + #""Number","StringValue":"1e3"}}"#
        let policy = #"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:000000000000:shop-orders\",\"maxReceiveCount\":3}"#
        let valid = [
            ("CreateQueue", #"{"QueueName":"q","Attributes":{"VisibilityTimeout":"5","RedrivePolicy":"\#(policy)"},"tags":{"a":"b"}}"#),
            ("SendMessage", #"{"QueueUrl":"\#(url)",\#(message)}"#),
            ("SendMessageBatch", #"{"QueueUrl":"\#(url)","Entries":[{"Id":"1",\#(message)},{"Id":"2",\#(message)}]}"#),
            ("ReceiveMessage", #"{"QueueUrl":"\#(url)","MaxNumberOfMessages":9,"VisibilityTimeout":9,"AttributeNames":["All"]}"#),
            ("DeleteMessage", #"{"QueueUrl":"\#(url)","ReceiptHandle":"\#(handle)"}"#),
            ("ChangeMessageVisibility", #"{"QueueUrl":"\#(url)","ReceiptHandle":"\#(handle)","VisibilityTimeout":30}"#),
            ("ListQueues", #"{"QueueNamePrefix":"o","MaxResults":9,"NextToken":"a"}"#),
        ]
        var generator = SplitMix(state: seed)
        for _ in 0..<200 {
            guard let (operation, text) = valid.randomElement(using: &generator) else { continue }
            var bytes = Array(text.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] = Bool.random(using: &generator) ? UInt8.random(in: 0...255, using: &generator) : UInt8(ascii: "9")
            }
            let response = try await fixture.queueResponse(operation, bytes)
            #expect(response.status == .ok || response.status == .badRequest, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
        }
    }
}

extension GatewayFixture {
    func queueResponse(_ operation: String, _ body: String) async throws -> TestResponse {
        try await queueResponse(operation, Array(body.utf8))
    }

    func queueResponse(_ operation: String, _ body: [UInt8]) async throws -> TestResponse {
        var headers = HTTPFields()
        headers[.contentType] = "application/x-amz-json-1.0"
        headers[.init("X-Amz-Target")!] = "AmazonSQS.\(operation)"
        let sent = headers
        return try await server.application.test(.router) { client in
            try await client.execute(uri: "/", method: .post, headers: sent, body: ByteBuffer(bytes: body))
        }
    }

    func queueCall(_ operation: String, _ body: String) async throws -> JSONView {
        let response = try await queueResponse(operation, body)
        #expect(response.status == .ok, "\(response.text)")
        return try JSONDocument(parsing: Array(response.body.readableBytesView)).root
    }

    func createQueue(_ name: String) async throws -> String {
        try #require(try await queueCall("CreateQueue", #"{"QueueName":"\#(name)"}"#)["QueueUrl"]?.stringValue)
    }
}
