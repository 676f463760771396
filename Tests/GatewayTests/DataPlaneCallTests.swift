import BrokerCore
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import MQTTCodec
import NIOCore
import Synchronization
import Testing

@testable import Gateway

/// AWS IoT's data plane: messages that back ends publish over HTTP, and what is retained.
@Suite struct DataPlaneCallTests {
    private static func signed(_ more: [String: String] = [:]) -> HTTPFields {
        var headers = HTTPFields()
        headers[.authorization] = "AWS4-HMAC-SHA256 Credential=any/20260102/us-east-1/iotdata/aws4_request, Signature=0"
        for (name, value) in more { headers[.init(name)!] = value }
        return headers
    }

    @Test func aMessageIsPublishedWithAllThatItsCallSays() async throws {
        let fixture = try GatewayFixture()
        let headers = Self.signed([
            "x-amz-mqtt5-payload-format-indicator": "UTF8_DATA", "x-amz-mqtt5-correlation-data": "aWQx",
            // [{"shop":"soho"},{"shop":"nyc"}]
            "x-amz-mqtt5-user-properties": "W3sic2hvcCI6InNvaG8ifSx7InNob3AiOiJueWMifV0=",
        ])
        let query = "qos=1&retain=true&contentType=text%2Fplain&responseTopic=answers%2F1&messageExpiry=60"
        let answer = try await fixture.post("/topics/shop%2Fstatus/1?\(query)", headers: headers, body: "ready")
        #expect(answer.status == .ok)
        #expect(answer.text.hasPrefix(#"{"message":"OK","traceId":""#))
        let message = try #require(fixture.broker.messages.first)
        #expect(message.topicName == "shop/status/1")
        #expect(String(buffer: message.payload) == "ready")
        #expect(message.qos == .atLeastOnce && message.retain)
        #expect(message.properties?.expiresAt == Instant(nanoseconds: 60_000_000_000))
        let properties = Properties(forwarded: try #require(message.properties?.forwarded))
        #expect(properties.payloadFormatIndicator == .utf8)
        #expect(properties.contentType == "text/plain")
        #expect(properties.responseTopic == "answers/1")
        #expect(properties.correlationData == ByteBuffer(string: "id1"))
        #expect(properties.userProperties == [UserProperty("shop", "soho"), UserProperty("shop", "nyc")])
        #expect(fixture.counters.counts.contains { $0.handler == .dataPlane && $0.status == 200 && $0.requests == 1 })
    }

    @Test(
        arguments: [
            ("/topics/a%2F%2B", [:], 400, "wildcard"), ("/topics/", [:], 400, "no topic name"), ("/topics/a?qos=2", [:], 400, "qos is 2"),
            ("/topics/a?retain=yes", [:], 400, "retain is yes"), ("/topics/a?messageExpiry=-1", [:], 400, "messageExpiry is -1"),
            ("/topics/a?ttl=5", [:], 400, "no parameter ttl"), ("/topics/%24SYS%2Fbroker", [:], 403, "the broker's own"),
            ("/topics/%24%CC%81%2Fx", [:], 403, "the broker's own"), ("/topics/%24aws%2Frules%2F", [:], 403, "the broker's own"),
            ("/topics/a?responseTopic=b%23", [:], 400, "responseTopic"), ("/topics/a?contentType=%01", [:], 400, "contentType"),
            ("/topics/a", ["x-amz-mqtt5-payload-format-indicator": "UTF8"], 400, "UTF8_DATA"),
            ("/topics/a", ["x-amz-mqtt5-correlation-data": "%"], 400, "base64"),
            ("/topics/a", ["x-amz-mqtt5-user-properties": "e30="], 400, "array"),
            ("/topics/a", ["x-amz-mqtt5-user-properties": "W3siYSI6MX1d"], 400, "texts as values"),
        ] as [(String, [String: String], Int, String)])
    func whatCannotBePublishedIsRefusedByName(uri: String, headers: [String: String], status: Int, text: String) async throws {
        let fixture = try GatewayFixture()
        let answer = try await fixture.post(uri, headers: Self.signed(headers), body: "x")
        #expect(answer.status.code == status)
        #expect(answer.text.contains(text), "\(answer.text)")
        #expect(answer.text.contains("traceId"))
        #expect(fixture.broker.messages.isEmpty)
    }

    @Test func aPayloadThatIsNotTheTextItSaysIsRefused() async throws {
        let fixture = try GatewayFixture()
        let headers = Self.signed(["x-amz-mqtt5-payload-format-indicator": "UTF8_DATA"])
        let answer = try await fixture.server.application.test(.router) { client in
            try await client.execute(uri: "/topics/a", method: .post, headers: headers, body: ByteBuffer(bytes: [0xFF]))
        }
        #expect(answer.status == .badRequest)
        #expect(fixture.broker.messages.isEmpty)
    }

    @Test func withoutRoomACallIsToldToComeAgain() async throws {
        let fixture = try GatewayFixture()
        fixture.broker.setFull(true)
        let answer = try await fixture.post("/topics/a", headers: Self.signed(), body: "x")
        #expect(answer.status == .tooManyRequests)
        #expect(answer.headers[.init("x-amzn-ErrorType")!] == "ThrottlingException")
        #expect(fixture.broker.messages.isEmpty)
    }

    @Test("A publish that is not on disk as it should be, or that a broker that stops did not take, is not said to be done")
    func notKept() async throws {
        let fixture = try GatewayFixture()
        for outcome in [PublishOutcome.notKept, .refused] {
            fixture.broker.setOutcome(outcome)
            let answer = try await fixture.post("/topics/a?retain=true", headers: Self.signed(), body: "x")
            #expect(answer.status == .serviceUnavailable)
            let events = try await fixture.call(body: #"{"Entries":[\#(GatewayFixture.entry())]}"#)
            #expect(events.status.code >= 500, "\(events.status)")
        }
        fixture.broker.setOutcome(.kept)
        #expect(try await fixture.post("/topics/a?retain=true", headers: Self.signed(), body: "x").status == .ok)
    }

    @Test func withoutASignatureAPublishIsTakenWhereNoRouteIsAndNotFromPages() async throws {
        let fixture = try GatewayFixture()
        #expect(try await fixture.post("/topics/a", body: "x").status == .ok)
        let page: HTTPFields = [.origin: "https://evil.example"]
        #expect(try await fixture.post("/topics/a", headers: page, body: "x").status == .notFound)
        var signed = Self.signed()
        signed[.origin] = "https://evil.example"
        #expect(try await fixture.post("/topics/a", headers: signed, body: "x").status == .notFound)
        #expect(fixture.broker.messages.count == 1)
        let closed = try GatewayFixture(anonymous: false)
        #expect(try await closed.post("/topics/a", body: "x").status == .forbidden)
        #expect(try await closed.post("/topics/a", headers: Self.signed(), body: "x").status == .forbidden)
        #expect(closed.broker.messages.isEmpty)
    }

    @Test func retainedMessagesAreReadAndListedByPages() async throws {
        let fixture = try GatewayFixture()
        for topic in ["a", "b", "c/d"] {
            let message = Message(topic: topic, payload: Array("on \(topic)".utf8), qos: .atLeastOnce, retain: true)
            fixture.broker.retained.withLock {
                $0[topic] = RetainedSummary(message: message, ageMilliseconds: 5, retainedMilliseconds: 1_700)
            }
        }
        let one = try await fixture.send(.get, "/retainedMessage/c%2Fd", headers: Self.signed())
        #expect(one.text.hasPrefix(#"{"topic":"c/d","payload":"b24gYy9k","qos":1,"lastModifiedTime":1700}"#))
        let none = try await fixture.send(.get, "/retainedMessage/x", headers: Self.signed())
        #expect(none.status == .notFound)
        #expect(none.headers[.init("x-amzn-ErrorType")!] == "ResourceNotFoundException")
        let first = try await fixture.send(.get, "/retainedMessage?maxResults=2", headers: Self.signed())
        #expect(first.text.contains(#""topic":"a","payloadSize":4"#) && first.text.contains(#""topic":"b""#))
        let token = try #require(first.text.firstMatch(of: #/"nextToken":"([^"]+)"/#)?.1)
        let second = try await fixture.send(.get, "/retainedMessage?maxResults=2&nextToken=\(token)", headers: Self.signed())
        #expect(second.text.contains(#""topic":"c/d""#) && !second.text.contains("nextToken"))
        for uri in ["/retainedMessage?maxResults=0", "/retainedMessage?nextToken=x", "/retainedMessage?page=1"] {
            #expect(try await fixture.send(.get, uri, headers: Self.signed()).status == .badRequest)
        }
        let unknown = try await fixture.send(.get, "/things/t/shadow", headers: Self.signed())
        #expect(unknown.headers[.init("x-amzn-ErrorType")!] == "UnknownOperationException")
    }

    @Test func theEndpointIsTheHostThatWasAsked() async throws {
        let fixture = try GatewayFixture()
        var headers = Self.signed()
        headers[.authorization] = "AWS4-HMAC-SHA256 Credential=any/20260102/us-east-1/iot/aws4_request, Signature=0"
        let answer = try await fixture.send(.get, "/endpoint?endpointType=iot%3AData-ATS", headers: headers)
        #expect(answer.text == #"{"endpointAddress":"localhost"}"#)
        #expect(try await fixture.send(.get, "/endpoint?endpointType=iot%3AJobs", headers: headers).status == .badRequest)
    }

    @Test(arguments: [("shop.example:8080", "shop.example"), ("[::1]:8080", "[::1]"), ("[::1]", "[::1]"), ("shop.example", "shop.example")])
    func theEndpointHasNoPort(authority: String, host: String) {
        #expect(TopicRulesService.host(in: authority) == host)
    }
}
