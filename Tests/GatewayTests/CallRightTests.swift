import BrokerCore
import Hummingbird
import HummingbirdTesting
import MQTTCodec
import NIOCore
import Rules
import Synchronization
import Testing

@testable import Gateway

/// A door that writes down what is asked, and refuses some of it.
final class RecordingDoor: Authorizer {
    private let log = Mutex<[String]>([])
    private let refused: String?

    init(refusing refused: String? = nil) { self.refused = refused }

    var asked: [String] { log.withLock { $0 } }
    var isUnrestricted: Bool { false }

    func refusal(ofCall action: String, on arn: String, by caller: Publisher) -> String? {
        log.withLock { $0.append("\(caller.principal ?? "-") \(action) \(arn)") }
        return refused.flatMap { arn.hasSuffix($0) ? "refused here" : nil }
    }

    func denies(call action: String, on arn: String, to caller: Publisher) -> Bool {
        action == "iot:GetRetainedMessage" && refused.map { arn.contains($0) } ?? false
    }

    func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication { .accepted(principal: nil) }
    func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool { true }
}

@Suite struct CallRightTests {
    @Test("A listing does not tell of retained messages that the caller is denied, however many they are", arguments: [1, 2, 3, 200])
    func deniedMessagesAreNotListed(page: Int) async throws {
        let fixture = try GatewayFixture(authorizer: RecordingDoor(refusing: "topic/priv/"))
        let topics = ["a", "b", "z"] + (0..<50).map { "priv/\($0)" }
        for topic in topics {
            let message = Message(topic: topic, payload: Array("x".utf8), qos: .atLeastOnce, retain: true)
            fixture.broker.retained.withLock {
                $0[topic] = RetainedSummary(message: message, ageMilliseconds: 5, retainedMilliseconds: 1_700)
            }
        }
        var (found, uri): ([String], String?) = ([], "/retainedMessage?maxResults=\(page)")
        while let asked = uri {
            let answer = try await fixture.send(.get, asked)
            #expect(answer.status == .ok && !answer.text.contains("priv"))
            found += answer.text.matches(of: #/"topic":"([^"]+)"/#).map { String($0.1) }
            let token = answer.text.firstMatch(of: #/"nextToken":"([^"]+)"/#)?.1
            #expect(token.map { ["b", "z"].contains(ListingToken(listing: ["ListRetainedMessages"]).name(in: String($0))) } ?? true)
            uri = token.map { "/retainedMessage?maxResults=\(page)&nextToken=\($0)" }
        }
        #expect(found == ["a", "b", "z"])
    }

    private static let events = "arn:aws:events:us-east-1:000000000000:"

    @Test(
        "Every operation asks for what it is about",
        arguments: [
            ("PutRule", #"{"Name":"r"}"#, ["rule/r"]), ("DeleteRule", #"{"Name":"r","EventBusName":"default"}"#, ["rule/r"]),
            ("DescribeRule", #"{"Name":"r","EventBusName":"arn:aws:events:us-east-1:000000000000:event-bus/shop"}"#, ["rule/shop/r"]),
            ("PutTargets", #"{"Rule":"r","EventBusName":"shop"}"#, ["rule/shop/r"]), ("ListRules", "", ["rule/*"]),
            ("TestEventPattern", "{}", ["rule/*"]), ("CreateEventBus", #"{"Name":"b"}"#, ["event-bus/b"]),
            ("DescribeEventBus", "{}", ["event-bus/default"]), ("ListEventBuses", "{}", ["event-bus/*"]),
            ("PutPermission", #"{"EventBusName":"shop"}"#, ["event-bus/shop"]),
            ("TagResource", #"{"ResourceARN":"arn:aws:events:us-east-1:000000000000:rule/default/r"}"#, ["rule/r"]),
            (
                "CreateArchive", #"{"ArchiveName":"a","EventSourceArn":"arn:aws:events:us-east-1:000000000000:event-bus/shop"}"#,
                ["archive/a", "event-bus/shop"]
            ),
            (
                "StartReplay", #"{"ReplayName":"y","EventSourceArn":"arn:aws:events:us-east-1:000000000000:archive/a"}"#,
                ["replay/y", "archive/a"]
            ),
            ("DescribeConnection", #"{"Name":"c"}"#, ["connection/c"]), ("DeleteApiDestination", #"{"Name":"d"}"#, ["api-destination/d"]),
            ("ListReplays", "{}", ["replay/*"]), ("DeleteRule", "not JSON", ["rule/"]),
        ] as [(String, String, [String])])
    func operations(_ operation: String, _ body: String, _ expected: [String]) async throws {
        let door = RecordingDoor()
        _ = try await GatewayFixture(authorizer: door).call(operation, body: body)
        #expect(door.asked == expected.map { "- events:\(operation) \(Self.events)\($0)" })
    }

    @Test("Threat 49: events for several buses are put when all may be, and otherwise none")
    func putEvents() async throws {
        let body = #"{"Entries":[\#(GatewayFixture.entry()),\#(GatewayFixture.entry().replacing("\"shop\"}", with: "\"other\"}"))]}"#
        let door = RecordingDoor(refusing: "event-bus/other")
        let fixture = try GatewayFixture(authorizer: door)
        let response = try await fixture.call(body: body)
        #expect(response.status == .forbidden)
        let answer = try JSONDocument(parsing: Array(response.body.readableBytesView)).root
        #expect(answer["__type"]?.stringValue == "AccessDeniedException")
        #expect(
            answer["message"]?.stringValue
                == "User: anonymous is not authorized to perform: events:PutEvents on resource: \(Self.events)event-bus/other")
        #expect(fixture.broker.published.isEmpty)
        #expect(door.asked == ["shop", "other"].map { "- events:PutEvents \(Self.events)event-bus/\($0)" })
    }

    @Test("Queues are asked for by their names, and a batch as one of its messages")
    func queues() async throws {
        let door = RecordingDoor()
        let fixture = try GatewayFixture(authorizer: door)
        for (operation, body) in [
            ("SendMessageBatch", #"{"QueueUrl":"http://x/000000000000/shop-orders"}"#), ("ReceiveMessage", #"{"QueueUrl":"shop-orders"}"#),
            ("CreateQueue", #"{"QueueName":"q"}"#), ("ListQueues", "{}"), ("DeleteMessageBatch", #"{"QueueUrl":"a/b/c"}"#),
            ("StartMessageMoveTask", #"{"SourceArn":"arn:aws:sqs:r:a:dead","DestinationArn":"arn:aws:sqs:r:a:other"}"#),
            ("CreateQueue", #"{"QueueName":"dead"}"#),
            (
                "CreateQueue",
                #"{"QueueName":"source","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:000000000000:dead\",\"maxReceiveCount\":1}"}}"#
            ),
            ("StartMessageMoveTask", #"{"SourceArn":"arn:aws:sqs:r:a:dead"}"#), ("CancelMessageMoveTask", #"{"TaskHandle":"h"}"#),
        ] {
            var headers = GatewayFixture.headers(contentType: "application/x-amz-json-1.0")
            headers[.amazonTarget] = "AmazonSQS.\(operation)"
            _ = try await fixture.post("/", headers: headers, body: body)
        }
        let queue = "arn:aws:sqs:us-east-1:000000000000:"
        #expect(
            door.asked == [
                "- sqs:SendMessage \(queue)shop-orders", "- sqs:ReceiveMessage \(queue)shop-orders", "- sqs:CreateQueue \(queue)q",
                "- sqs:ListQueues \(queue)*", "- sqs:DeleteMessage \(queue)",
                "- sqs:StartMessageMoveTask \(queue)dead", "- sqs:SendMessage \(queue)other", "- sqs:CreateQueue \(queue)dead",
                "- sqs:CreateQueue \(queue)source", "- sqs:StartMessageMoveTask \(queue)dead", "- sqs:SendMessage \(queue)source",
                "- sqs:CancelMessageMoveTask \(queue)*",
            ])
    }

    @Test("A route is asked for by its method and path, however that is spelled, and what the route does is the API's")
    func routes() async throws {
        let door = RecordingDoor()
        let fixture = try GatewayFixture(authorizer: door)
        for path in ["/users/ann/orders?drink=x&kind=y", "/users/%61nn/orders?drink=x&kind=y", "/users/a%2fb%c3%a9/orders?drink=x&kind=y"] {
            let response = try await fixture.post(path, headers: [.init("X-Shop")!: "s"], body: "{}")
            #expect(response.status == .ok, "\(response.text)")
        }
        let route = "- execute-api:Invoke arn:aws:execute-api:us-east-1:000000000000:crema/$default/POST/users/"
        #expect(door.asked == ["ann", "ann", "a%2Fb%C3%A9"].map { "\(route)\($0)/orders" })
    }

    @Test("Topic rules are asked for by their names, and tags by the ARN")
    func topicRules() async throws {
        let door = RecordingDoor()
        let fixture = try GatewayFixture(authorizer: door)
        var headers = HTTPFields()
        headers[.authorization] = "AWS4-HMAC-SHA256 Credential=any/20260102/us-east-1/iot/aws4_request, Signature=0"
        for (method, path, body) in [
            (.post, "/rules/r", "{}"), (.patch, "/rules/r", "{}"), (.get, "/rules/r", ""), (.get, "/rules", ""), (.delete, "/rules/r", ""),
            (.post, "/rules/r/disable", ""), (.get, "/tags?resourceArn=arn%3Aaws%3Aiot%3Ar%3Aa%3Arule%2Fx", ""),
            (.post, "/untag", #"{"resourceArn":"arn:aws:iot:r:a:rule/x"}"#),
        ] as [(HTTPRequest.Method, String, String)] {
            _ = try await fixture.send(method, path, headers: headers, body: body)
        }
        let rule = "arn:aws:iot:us-east-1:000000000000:rule/"
        #expect(
            door.asked == [
                "- iot:CreateTopicRule \(rule)r", "- iot:ReplaceTopicRule \(rule)r", "- iot:GetTopicRule \(rule)r",
                "- iot:ListTopicRules \(rule)*", "- iot:DeleteTopicRule \(rule)r", "- iot:DisableTopicRule \(rule)r",
                "- iot:ListTagsForResource arn:aws:iot:r:a:rule/x", "- iot:UntagResource arn:aws:iot:r:a:rule/x",
            ])
    }
}
