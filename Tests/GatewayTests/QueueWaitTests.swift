import AsyncHTTPClient
import CremaTesting
import EventBus
import Gateway
import NIOCore
import NIOHTTP1
import Queues
import ServiceLifecycle
import Testing

@Suite struct QueueWaitTests {
    @Test func whoWaitsIsAnsweredWhenAMessageComes() async throws {
        try await RunningGateway.with { gateway in
            let url = try await Self.create(gateway)
            async let waiting = Self.call(gateway, "ReceiveMessage", #"{"QueueUrl":"\#(url)","WaitTimeSeconds":20}"#)
            try await Self.untilSomebodyWaits(gateway)
            _ = try await Self.call(gateway, "SendMessage", #"{"QueueUrl":"\#(url)","MessageBody":"at last"}"#)
            let answer = try await waiting
            #expect(answer.contains(#""Body":"at last""#))
        }
    }

    @Test func whatIsDelayedComesToWhoWaits() async throws {
        try await RunningGateway.with { gateway in
            let url = try await Self.create(gateway)
            _ = try await Self.call(gateway, "SendMessage", #"{"QueueUrl":"\#(url)","MessageBody":"late","DelaySeconds":1}"#)
            let answer = try await Self.call(gateway, "ReceiveMessage", #"{"QueueUrl":"\#(url)","WaitTimeSeconds":20}"#)
            #expect(answer.contains(#""Body":"late""#))
        }
    }

    @Test func whoWaitsInVainIsAnsweredWithNothing() async throws {
        try await RunningGateway.with { gateway in
            let url = try await Self.create(gateway)
            let answer = try await Self.call(gateway, "ReceiveMessage", #"{"QueueUrl":"\#(url)","WaitTimeSeconds":1}"#)
            #expect(answer == "{}")
        }
    }

    @Test func aShutdownEndsTheWaiting() async throws {
        try await RunningGateway.with { gateway in
            let url = try await Self.create(gateway)
            async let waiting = Self.call(gateway, "ReceiveMessage", #"{"QueueUrl":"\#(url)","WaitTimeSeconds":20}"#)
            try await Self.untilSomebodyWaits(gateway)
            await gateway.group.triggerGracefulShutdown()
            let answer = try await waiting
            #expect(answer == "{}")
            #expect(gateway.fixture.queues.statistics(at: EventSource.system.nowMilliseconds()).waiters == 0)
        }
    }

    @Test func aRuleReachesWhoWaits() async throws {
        try await RunningGateway.with { gateway in
            let url = "http://127.0.0.1:\(gateway.port)/000000000000/shop-orders"
            async let waiting = Self.call(gateway, "ReceiveMessage", #"{"QueueUrl":"\#(url)","WaitTimeSeconds":20}"#)
            try await Self.untilSomebodyWaits(gateway)
            _ = try await Self.call(
                gateway, "PutEvents",
                #"{"Entries":[{"Source":"shop.queue","DetailType":"d","Detail":"{\"n\":1}","EventBusName":"shop"}]}"#, prefix: "AWSEvents",
                version: "1.1")
            let answer = try await waiting
            #expect(answer.contains(#""Body":"{\"n\":1}""#))
        }
    }

    /// What comes after the one who waited has gone is for those who are there.
    @Test func whoHasGoneTakesNothing() async throws {
        try await RunningGateway.with { gateway in
            let url = try await Self.create(gateway)
            let request = Self.longPoll(url)
            let started = ContinuousClock.now
            try await RawClient.run(port: gateway.port) { client in
                try await client.send(request.utf8)
                try await Self.untilSomebodyWaits(gateway)
            }
            try await Self.untilNobodyWaits(gateway)
            // It has not waited until its time was up.
            #expect(ContinuousClock.now - started < .seconds(20))
            _ = try await Self.call(gateway, "SendMessage", #"{"QueueUrl":"\#(url)","MessageBody":"for the next"}"#)
            let answer = try await Self.call(gateway, "ReceiveMessage", #"{"QueueUrl":"\#(url)"}"#)
            #expect(answer.contains(#""Body":"for the next""#))
        }
    }

    /// Requests of one connection have their turns one after the other, also when their sender has gone.
    @Test func whatWasPipelinedByWhoHasGoneTakesNothing() async throws {
        try await RunningGateway.with { gateway in
            let url = try await Self.create(gateway)
            let request = Self.longPoll(url)
            try await RawClient.run(port: gateway.port) { client in
                try await client.send(String(repeating: request, count: 50).utf8)
                try await Self.untilSomebodyWaits(gateway)
            }
            try await Self.untilNobodyWaits(gateway)
            _ = try await Self.call(gateway, "SendMessage", #"{"QueueUrl":"\#(url)","MessageBody":"for the next"}"#)
            let answer = try await Self.call(gateway, "ReceiveMessage", #"{"QueueUrl":"\#(url)"}"#)
            #expect(answer.contains(#""Body":"for the next""#))
        }
    }

    private static func longPoll(_ url: String) -> String {
        let body = #"{"QueueUrl":"\#(url)","WaitTimeSeconds":20}"#
        return [
            "POST / HTTP/1.1", "Host: localhost", "Content-Type: application/x-amz-json-1.0", "X-Amz-Target: AmazonSQS.ReceiveMessage",
            "Content-Length: \(body.utf8.count)", "", body,
        ].joined(separator: "\r\n")
    }

    private static func untilNobodyWaits(_ gateway: RunningGateway) async throws {
        while gateway.fixture.queues.statistics(at: EventSource.system.nowMilliseconds()).waiters > 0 {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private static func untilSomebodyWaits(_ gateway: RunningGateway) async throws {
        while gateway.fixture.queues.statistics(at: EventSource.system.nowMilliseconds()).waiters == 0 {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private static func create(_ gateway: RunningGateway) async throws -> String {
        _ = try await call(gateway, "CreateQueue", #"{"QueueName":"orders"}"#)
        return "http://127.0.0.1:\(gateway.port)/000000000000/orders"
    }

    private static func call(
        _ gateway: RunningGateway, _ operation: String, _ body: String, prefix: String = "AmazonSQS", version: String = "1.0"
    ) async throws -> String {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(gateway.port)/")
        request.method = .POST
        request.headers = ["Content-Type": "application/x-amz-json-\(version)", "X-Amz-Target": "\(prefix).\(operation)"]
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        #expect(response.status == .ok)
        return String(buffer: try await response.body.collect(upTo: 1 << 20))
    }
}
