import BrokerCore
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Queues
import Rules
import Testing

@testable import Gateway

/// Queues in the protocol that SDKs spoke before November 2023.
@Suite struct QueueFormTests {
    private func fixture() async throws -> GatewayFixture {
        let fixture = try GatewayFixture()
        _ = try await fixture.createQueue("orders")
        return fixture
    }

    @Test func aMessageIsSentReceivedAndDeleted() async throws {
        let fixture = try await fixture()
        let url = try await fixture.form("Action=GetQueueUrl&QueueName=orders&Version=2012-11-05")
        #expect(url.headers[.contentType] == "text/xml")
        let id = try #require(url.headers[.init("x-amzn-RequestId")!])
        #expect(
            url.text == #"<?xml version="1.0"?><GetQueueUrlResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><GetQueueUrlResult>"#
                + "<QueueUrl>http://localhost/000000000000/orders</QueueUrl></GetQueueUrlResult><ResponseMetadata><RequestId>\(id)</RequestId>"
                + "</ResponseMetadata></GetQueueUrlResponse>")
        let body = "1+%3C+2+%26+%22caf%C3%A9%22%0D%0A"
        let attributes =
            "MessageAttribute.1.Name=zone&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=bar+%3E&"
            + "MessageAttribute.2.Name=raw&MessageAttribute.2.Value.DataType=Binary&MessageAttribute.2.Value.BinaryValue=AP8K"
        let sent = try await fixture.form("Action=SendMessage&MessageBody=\(body)&\(attributes)", to: "/000000000000/orders")
        #expect(sent.element("MD5OfMessageBody") == MD5.hexadecimal(of: "1 < 2 & \"café\"\r\n".utf8))
        #expect(sent.element("MD5OfMessageAttributes") != nil)
        let received = try await fixture.form(
            "Action=ReceiveMessage&AttributeName.1=SentTimestamp&AttributeName.2=ApproximateReceiveCount&MessageAttributeName.1=All"
                + "&MaxNumberOfMessages=10", to: "/000000000000/orders")
        #expect(received.element("MessageId") == sent.element("MessageId"))
        #expect(received.element("Body") == "1 &lt; 2 &amp; &quot;café&quot;&#xD;\n")
        #expect(received.text.contains("<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>"))
        #expect(!received.text.contains("SenderId"))
        #expect(
            received.text.contains(
                "<MessageAttribute><Name>raw</Name><Value><BinaryValue>AP8K</BinaryValue><DataType>Binary</DataType></Value>"
                    + "</MessageAttribute><MessageAttribute><Name>zone</Name><Value><StringValue>bar &gt;</StringValue>"
                    + "<DataType>String</DataType></Value></MessageAttribute>"))
        let handle = try #require(received.element("ReceiptHandle"))
        let deleted = try await fixture.form("Action=DeleteMessage&QueueUrl=http%3A%2F%2Fx%2F000000000000%2Forders&ReceiptHandle=\(handle)")
        #expect(deleted.text.contains("<DeleteMessageResponse ") && !deleted.text.contains("Result"))
        let empty = try await fixture.form("Action=ReceiveMessage&QueueUrl=orders")
        #expect(empty.text.contains("<ReceiveMessageResult></ReceiveMessageResult>"))
    }

    @Test(
        "Each form says what a body of the JSON protocol says",
        arguments: [
            (
                "CreateQueue", "QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Tag.1.Key=a&Tag.1.Value=",
                #"{"Attributes":{"DelaySeconds":"5"},"QueueName":"q","tags":{"a":""}}"#
            ),
            ("TagQueue", "Tag.2.Key=b&Tag.2.Value=2&Tag.1.Key=a&Tag.1.Value=1", #"{"Tags":{"a":"1","b":"2"}}"#),
            (
                "SetQueueAttributes",
                "Attribute.Name=DelaySeconds&Attribute.Value=5&Attribute.1.Name=MaximumMessageSize&Attribute.1.Value=1024",
                #"{"Attributes":{"DelaySeconds":"5","MaximumMessageSize":"1024"}}"#
            ),
            ("GetQueueAttributes", "AttributeName=All", #"{"AttributeNames":["All"]}"#),
            ("TagQueue", "Tag.Key=a&Tag.Value=1", #"{"Tags":{"a":"1"}}"#),
            (
                "SendMessage", "MessageAttribute.Name=n&MessageAttribute.Value.DataType=String&MessageAttribute.Value.StringValue=v",
                #"{"MessageAttributes":{"n":{"DataType":"String","StringValue":"v"}}}"#
            ),
            ("UntagQueue", "TagKey.10=c&TagKey.9=b&TagKey.2=a", #"{"TagKeys":["a","b","c"]}"#),
            (
                "AddPermission", "Label=l&AWSAccountId.1=111111111111&ActionName.1=SendMessage",
                #"{"AWSAccountIds":["111111111111"],"Actions":["SendMessage"],"Label":"l"}"#
            ),
            (
                "SendMessage",
                "DelaySeconds=7&MessageSystemAttribute.1.Name=AWSTraceHeader&MessageSystemAttribute.1.Value.DataType=String&"
                    + "MessageSystemAttribute.1.Value.StringValue=Root%3D1",
                #"{"DelaySeconds":7,"MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"Root=1"}}}"#
            ),
            (
                "SendMessageBatch",
                "SendMessageBatchRequestEntry.2.Id=b&SendMessageBatchRequestEntry.2.MessageBody=2&SendMessageBatchRequestEntry.1.Id=a&"
                    + "SendMessageBatchRequestEntry.1.MessageAttribute.1.Name=n&SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType=X",
                #"{"Entries":[{"Id":"a","MessageAttributes":{"n":{"DataType":"X"}}},{"Id":"b","MessageBody":"2"}]}"#
            ),
            (
                "ChangeMessageVisibilityBatch",
                "ChangeMessageVisibilityBatchRequestEntry.1.Id=a&ChangeMessageVisibilityBatchRequestEntry.1.VisibilityTimeout=0",
                #"{"Entries":[{"Id":"a","VisibilityTimeout":0}]}"#
            ),
        ])
    func members(operation: String, form: String, json: String) throws {
        let operation = try #require(QueuesService.Operation(rawValue: operation))
        let form = try QueryForm(parsing: form[...], fieldsMax: 10)
        #expect(String(decoding: try QueueFormReader(operation: operation).json(form), as: UTF8.self) == json)
    }

    @Test(
        "Errors have the shape of the older protocol, and its names",
        arguments: [
            ("Action=DeleteQueue&QueueUrl=nowhere", "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist."),
            ("Action=PaintQueue", "InvalidAction", "AmazonSQS.PaintQueue is not supported by Crema"),
            ("QueueName=a", "MissingParameter", "Action"), ("Action=ListQueues&Version=2009-02-01", "ValidationError", "2009-02-01"),
            ("Action=SendMessage&QueueUrl=orders", "MissingParameter", "MessageBody"),
            ("Action=SendMessage&QueueUrl=orders&MessageBody=m&Colour=red", "ValidationError", "Colour is not supported"),
            ("Action=SendMessage&QueueUrl=orders&MessageBody=m&DelaySeconds=x", "InvalidParameterValue", "Must be an integer"),
            ("Action=SendMessage&QueueUrl=orders&MessageBody=m&MessageBody=n", "MalformedQueryString", "stands twice"),
            (
                "Action=SetQueueAttributes&QueueUrl=orders&Attributes=x&Attribute.1.Name=DelaySeconds&Attribute.1.Value=1",
                "MalformedQueryString", "Attributes and Attribute stand in the form together"
            ),
            ("Action=SendMessage&QueueUrl=orders&MessageBody.1=m", "ValidationError", "MessageBody.1 is not supported"),
            ("Action=SendMessage&QueueUrl=orders&MessageBody=%zz", "MalformedQueryString", "broken escape in 'MessageBody'"),
            ("Action=TagQueue&QueueUrl=orders&Tag.1.Key=a", "MissingParameter", "Tag.1.Value"),
            ("Action=TagQueue&QueueUrl=orders&Tag.Key=a", "MissingParameter", "Tag.Value"),
            ("Action=TagQueue&QueueUrl=orders&Tag.Colour=a", "ValidationError", "Tag.Colour is not supported"),
            ("Action=TagQueue&QueueUrl=orders&Tag.Name=a&Tag.Value=a", "ValidationError", "Tag.Name is not supported"),
            ("Action=SendMessageBatch&QueueUrl=orders&SendMessageBatchRequestEntry.Id=a", "ValidationError", "Entry.Id is not supported"),
            ("Action=TagQueue&QueueUrl=orders&Tag.1.Value=a", "MissingParameter", "Tag.1.Key"),
            ("Action=TagQueue&QueueUrl=orders&Tag.01.Key=a", "ValidationError", "Tag.01.Key is not supported"),
            ("Action=UntagQueue&QueueUrl=orders&TagKey.1.x=a", "ValidationError", "TagKey.1.x is not supported"),
            (
                "Action=SendMessage&QueueUrl=orders&MessageBody=m&MessageAttribute.1.Name=a&MessageAttribute.1.Value.StringListValue.1=b",
                "ValidationError", "MessageAttribute.1.Value.StringListValue.1 is not supported"
            ),
            ("Action=SendMessageBatch&QueueUrl=orders", "AWS.SimpleQueueService.EmptyBatchRequest", "at least one"),
            (
                "Action=SendMessageBatch&QueueUrl=orders&SendMessageBatchRequestEntry.1.SendMessageBatchRequestEntry.1.Id=a",
                "ValidationError", "SendMessageBatchRequestEntry.1.SendMessageBatchRequestEntry.1.Id is not supported"
            ),
        ])
    func errors(form: String, code: String, part: String) async throws {
        let response = try await fixture().form(form)
        #expect(response.status == .badRequest)
        #expect(response.headers[.contentType] == "text/xml")
        #expect(response.element("Code") == code, "\(response.text)")
        #expect(response.element("Message")?.contains(part) == true, "\(response.text)")
        #expect(response.element("Type") == "Sender")
        #expect(response.element("RequestId") == response.headers[.init("x-amzn-RequestId")!])
        #expect(response.text.hasPrefix(#"<?xml version="1.0"?><ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><Error>"#))
    }

    @Test func entriesOfABatchFailOneByOne() async throws {
        let fixture = try await fixture()
        let entry = "SendMessageBatchRequestEntry"
        let response = try await fixture.form(
            "Action=SendMessageBatch&\(entry).1.Id=a&\(entry).1.MessageBody=m&\(entry).2.Id=b&\(entry).2.MessageBody=m&\(entry).2.DelaySeconds=901",
            to: "/000000000000/orders")
        #expect(response.text.contains("<SendMessageBatchResultEntry><Id>a</Id><MD5OfMessageBody>"))
        #expect(
            response.text.contains("<BatchResultErrorEntry><Id>b</Id><SenderFault>true</SenderFault><Code>InvalidParameterValue</Code>"))
    }

    @Test("Threat 55: a form has at most queueFormFieldsMax fields")
    func fields() async throws {
        let fixture = try await fixture()
        func code(_ count: Int) async throws -> String? {
            let more = (1...count - 2).map { "Tag.\($0).Key=\($0)" }.joined(separator: "&")
            return try await fixture.form("Action=TagQueue&QueueUrl=orders&\(more)").element("Message")
        }
        #expect(try await code(1_000)?.contains("Tag.1.Value") == true)
        #expect(try await code(1_001) == "The form has more than queueFormFieldsMax (1000) fields.")
    }

    @Test("A call goes to the service, to the queue, or where its signature says that it is for the queues")
    func paths() async throws {
        let fixture = try await fixture()
        for (path, call, status, part) in [
            ("/", "Action=GetQueueAttributes&QueueUrl=orders", .ok, "GetQueueAttributesResult"),
            ("/000000000000/orders", "Action=ListQueues", .ok, "<QueueUrl>http://localhost/000000000000/orders</QueueUrl>"),
            ("/000000000000/orders", "Action=PurgeQueue&QueueUrl=http://h/000000000000/orders", .ok, "PurgeQueueResponse"),
            ("/000000000000/orders", "Action=PurgeQueue&QueueUrl=shop-orders", .badRequest, "The request goes to the queue orders."),
            ("/orders", "Action=PurgeQueue&QueueUrl=orders", .notFound, "Not Found"),
            ("/a/b", "Action=PurgeQueue&QueueUrl=orders", .notFound, "Not Found"),
        ] as [(String, String, HTTPResponse.Status, String)] {
            let response = try await fixture.form(call, to: path)
            #expect(response.status == status && response.text.contains(part), "\(path): \(response.text)")
        }
        let signature = "AWS4-HMAC-SHA256 Credential=any/20260102/us-east-1/sqs/aws4_request, Signature=0"
        let astray = try await fixture.form("Action=PurgeQueue", to: "/a/b", [.authorization: signature])
        #expect(astray.element("Code") == "InvalidAddress")
        let get = try await fixture.send(.get, "/?Action=ListQueues", headers: [.authorization: signature])
        #expect(get.element("Message")?.contains("are forms in Crema") == true)
    }

    @Test("Threat 19: no page's form reaches a queue, and a listener that takes nobody refuses in XML")
    func callers() async throws {
        let fixture = try await fixture()
        for origin in ["https://shop.example", "null", "http://localhost"] {
            let response = try await fixture.form("Action=PurgeQueue&QueueUrl=orders", [.origin: origin])
            #expect(response.status == .forbidden)
            #expect(response.element("Code") == "AccessDenied")
        }
        let closed = try await GatewayFixture(anonymous: false).form("Action=ListQueues")
        #expect(closed.status == .forbidden)
        #expect(closed.element("Code") == "MissingAuthenticationToken")
    }

    /// Damages valid forms at random; the seed is in the test's arguments.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func damagedFormsAreAnsweredAndNeverTrap(seed: UInt64) async throws {
        let fixture = try await fixture()
        let message =
            "MessageBody=m&DelaySeconds=9&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=Binary&"
            + "MessageAttribute.1.Value.BinaryValue=AP8K&MessageGroupId=g"
        let entries = message.split(separator: "&").map { "SendMessageBatchRequestEntry.1.\($0)" }.joined(separator: "&")
        let valid = [
            "Action=CreateQueue&QueueName=q&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=5&Tag.1.Key=a&Tag.1.Value=b",
            "Action=SendMessage&QueueUrl=orders&\(message)",
            "Action=SendMessageBatch&QueueUrl=orders&SendMessageBatchRequestEntry.1.Id=1&\(entries)",
            "Action=ReceiveMessage&QueueUrl=orders&MaxNumberOfMessages=9&VisibilityTimeout=9&AttributeName.1=All&MessageAttributeName.1=All",
            "Action=GetQueueAttributes&QueueUrl=orders&AttributeName.1=All&Version=2012-11-05",
            "Action=ListQueues&MaxResults=9&NextToken=a",
        ]
        var generator = SplitMix(state: seed)
        for _ in 0..<200 {
            guard let text = valid.randomElement(using: &generator) else { continue }
            var bytes = Array(text.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                let likely = Array("&=.%1+".utf8)
                bytes[place] = likely.randomElement(using: &generator) ?? 0
                if Bool.random(using: &generator) { bytes[place] = UInt8.random(in: 0...255, using: &generator) }
            }
            let response = try await fixture.form(bytes, to: "/", [:])
            #expect(response.status == .ok || response.status == .badRequest, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
        }
    }
}

extension GatewayFixture {
    func form(_ text: String, to path: String = "/", _ more: HTTPFields = [:]) async throws -> TestResponse {
        try await form(Array(text.utf8), to: path, more)
    }

    func form(_ body: [UInt8], to path: String, _ more: HTTPFields) async throws -> TestResponse {
        var headers = more
        headers[.contentType] = "application/x-www-form-urlencoded; charset=utf-8"
        let sent = headers
        return try await server.application.test(.router) { client in
            try await client.execute(uri: path, method: .post, headers: sent, body: ByteBuffer(bytes: body))
        }
    }
}

extension TestResponse {
    /// The text of the first element of a name in an XML body, with its escapes.
    fileprivate func element(_ name: String) -> String? {
        guard let start = text.firstRange(of: "<\(name)>"), let end = text[start.upperBound...].firstRange(of: "</\(name)>") else {
            return nil
        }
        return String(text[start.upperBound..<end.lowerBound])
    }
}
