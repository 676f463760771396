import EventBus
import Hummingbird
import HummingbirdTesting
import Rules
import Testing

@testable import Gateway

@Suite struct PutEventsCallTests {
    @Test func anAcceptedEntryIsPublishedAndAnsweredWithItsEventID() async throws {
        let fixture = try GatewayFixture()
        let response = try await fixture.call(body: #"{"Entries":[\#(GatewayFixture.entry())]}"#)
        #expect(response.status == .ok)
        #expect(response.headers[.contentType] == "application/x-amz-json-1.1")
        let requestID = try #require(response.headers[.init("x-amzn-RequestId")!])
        #expect(requestID.utf8.count == 36)
        let answer = try JSONDocument(parsing: Array(response.body.readableBytesView)).root
        #expect(answer["FailedEntryCount"]?.numberText == "0")
        #expect(answer["Entries"]?[element: 0]?["EventId"]?.stringValue?.utf8.count == 36)
        #expect(fixture.broker.published == [.init(topic: "users/u1", payload: #"{"type":"OrderStarted","detail":{"user":"u1"}}"#)])
    }

    @Test func entriesArePublishedInTheirOrderAndEachHasItsResult() async throws {
        let fixture = try GatewayFixture()
        let entries = (1...10).map { index in
            GatewayFixture.entry(detail: index == 4 ? "[]" : #"{\"user\":\"u\#(index)\"}"#)
        }
        let response = try await fixture.call(body: #"{"Entries":[\#(entries.joined(separator: ","))]}"#)
        #expect(response.status == .ok)
        let answer = try JSONDocument(parsing: Array(response.body.readableBytesView)).root
        #expect(answer["FailedEntryCount"]?.numberText == "1")
        #expect(answer["Entries"]?[element: 3]?["ErrorCode"]?.stringValue == "MalformedDetail")
        #expect(answer["Entries"]?[element: 3]?["ErrorMessage"]?.stringValue == "Detail is malformed.")
        #expect(fixture.broker.published.map(\.topic) == [1, 2, 3, 5, 6, 7, 8, 9, 10].map { "users/u\($0)" })
    }

    @Test(
        "Entries that the service refuses are part of an answer with status 200",
        arguments: [
            (
                #"{"DetailType":"d","Detail":"{}"}"#, "InvalidArgument",
                "Parameter Source is not valid. Reason: Source is a required argument."
            ),
            (
                #"{"Source":"s","DetailType":"","Detail":"{}"}"#, "InvalidArgument",
                "Parameter DetailType is not valid. Reason: DetailType is a required argument."
            ),
            (
                #"{"Source":"s","DetailType":"d","Detail":null}"#, "InvalidArgument",
                "Parameter Detail is not valid. Reason: Detail is a required argument."
            ),
            (#"{"Source":"s","DetailType":"d","Detail":"NotJSON"}"#, "MalformedDetail", "Detail is malformed."),
            (#"{"Source":"s","DetailType":"d","Detail":"\"x\""}"#, "MalformedDetail", "Detail is malformed."),
        ])
    func refusedEntry(entry: String, code: String, message: String) async throws {
        let fixture = try GatewayFixture()
        let response = try await fixture.call(body: #"{"Entries":[\#(entry)]}"#)
        #expect(response.status == .ok)
        #expect(response.text == #"{"FailedEntryCount":1,"Entries":[{"ErrorCode":"\#(code)","ErrorMessage":"\#(message)"}]}"#)
        #expect(fixture.broker.published.isEmpty)
    }

    @Test func anUnknownBusIsAcceptedAndDroppedAsTheServiceDoes() async throws {
        let fixture = try GatewayFixture()
        let entry = #"{"Source":"s","DetailType":"d","Detail":"{}","EventBusName":"nowhere"}"#
        let response = try await fixture.call(body: #"{"Entries":[\#(entry)]}"#)
        #expect(response.status == .ok)
        #expect(response.text.hasPrefix(#"{"FailedEntryCount":0,"Entries":[{"EventId":"#))
        #expect(fixture.engine.counters.eventsDroppedUnknownBus == 1)
    }

    @Test(
        "The name of a bus that cannot be there fails the call",
        arguments: ["", "a b", "a/b", "x/default", "arn:aws:events:us-east-1:000000000000:event-bus/", "arn:aws:events:x", "é"])
    func impossibleBus(name: String) async throws {
        let fixture = try GatewayFixture()
        let response = try await fixture.call(
            body: #"{"Entries":[{"Source":"s","DetailType":"d","Detail":"{}","EventBusName":"\#(name)"}]}"#)
        #expect(response.status == .badRequest)
        #expect(response.text.contains("ValidationException") && response.text.contains("'entries.1.member.eventBusName'"))
        #expect(fixture.engine.counters.eventsDroppedUnknownBus == 0)
    }

    @Test(
        "Requests that fail as a whole",
        arguments: [
            ("", "SerializationException"),
            ("{", "SerializationException"),
            ("[]", "SerializationException"),
            (#"{"Entries":{}}"#, "SerializationException"),
            (#"{"Entries":[1]}"#, "SerializationException"),
            (#"{"Entries":[null]}"#, "SerializationException"),
            (#"{"Entries":[{"Source":1}]}"#, "SerializationException"),
            (#"{"Entries":[{"Time":"2025-01-01T00:00:00Z"}]}"#, "SerializationException"),
            (#"{"Entries":[{"Time":1e999}]}"#, "SerializationException"),
            (#"{"Entries":[{"Time":-1}]}"#, "SerializationException"),
            (#"{"Entries":[{"Resources":"x"}]}"#, "SerializationException"),
            (#"{"Entries":[{"Resources":[1]}]}"#, "SerializationException"),
            ("{}", "ValidationException"),
            (#"{"Entries":null}"#, "ValidationException"),
            (#"{"Entries":[]}"#, "ValidationException"),
            (#"{"Entries":[{"TraceHeader":1}]}"#, "SerializationException"),
            (#"{"Entries":[{"Colour":"red"}]}"#, "ValidationException"),
            (#"{"Entries":[{}],"EndpointId":"x"}"#, "ValidationException"),
        ])
    func refusedRequest(body: String, code: String) async throws {
        let fixture = try GatewayFixture()
        let response = try await fixture.call(body: body)
        #expect(response.status == .badRequest)
        #expect(response.headers[.init("x-amzn-ErrorType")!] == code)
        let answer = try JSONDocument(parsing: Array(response.body.readableBytesView)).root
        #expect(answer["__type"]?.stringValue == code)
        #expect(answer["message"]?.stringValue?.isEmpty == false)
        #expect(fixture.broker.published.isEmpty)
    }

    @Test func unsupportedMembersAreRefusedByTheirName() async throws {
        let fixture = try GatewayFixture()
        let response = try await fixture.call(body: #"{"Entries":[{"Colour":"red"}]}"#)
        #expect(response.text == #"{"__type":"ValidationException","message":"Colour of Entries[0] is not supported by Crema."}"#)
    }

    @Test("A trace header is taken, whatever it says, and held to the service's length", arguments: [0, 1, 500, 501])
    func traceHeader(characters: Int) async throws {
        let fixture = try GatewayFixture()
        let header = String(repeating: "é", count: characters)
        let entry = #"{"Source":"s","DetailType":"d","Detail":"{}","TraceHeader":"\#(header)"}"#
        let response = try await fixture.call(body: #"{"Entries":[\#(entry)]}"#)
        guard !(1...500).contains(characters) else {
            #expect(response.status == .ok && response.text.contains(#""FailedEntryCount":0"#))
            return
        }
        let bound = characters == 0 ? "greater than or equal to 1" : "less than or equal to 500"
        #expect(
            response.text == #"{"__type":"ValidationException","message":"1 validation error detected: Value '\#(header)' at "#
                + #"'entries.1.member.traceHeader' failed to satisfy constraint: Member must have length \#(bound)"}"#)
    }

    @Test func elevenEntriesAreRefusedInTheServicesWords() async throws {
        let fixture = try GatewayFixture()
        let entries = Array(repeating: #"{"Source":"s","DetailType":"d","Detail":"{}"}"#, count: 11).joined(separator: ",")
        let response = try await fixture.call(body: #"{"Entries":[\#(entries)]}"#)
        #expect(response.status == .badRequest)
        let quoted = """
            PutEventsRequestEntry(time=null, source=s, resources=null, detailType=d, detail={}, eventBusName=null, \
            traceHeader=null, kmsKeyIdentifier=null, internalMetadata=null)
            """
        let message = """
            1 validation error detected: Value '[\(Array(repeating: quoted, count: 11).joined(separator: ", "))]' at 'entries' \
            failed to satisfy constraint: Member must have length less than or equal to 10
            """
        let answer = try JSONDocument(parsing: Array(response.body.readableBytesView)).root
        #expect(answer["message"]?.stringValue == message)
    }

    @Test func anotherOperationIsRefusedByItsName() async throws {
        let fixture = try GatewayFixture()
        let response = try await fixture.call("ListEndpoints", body: "{}")
        #expect(response.status == .badRequest)
        #expect(response.headers[.init("x-amzn-ErrorType")!] == "UnknownOperationException")
        #expect(response.text.contains("AWSEvents.ListEndpoints is not supported by Crema"))
    }

    @Test func anotherContentTypeIsRefused() async throws {
        let fixture = try GatewayFixture()
        let response = try await fixture.call(body: #"{"Entries":[\#(GatewayFixture.entry())]}"#, contentType: "text/plain")
        #expect(response.status == .unsupportedMediaType)
        #expect(fixture.broker.published.isEmpty)
        let withParameter = try await fixture.call(
            body: #"{"Entries":[\#(GatewayFixture.entry())]}"#, contentType: "application/x-amz-json-1.1; charset=utf-8")
        #expect(withParameter.status == .ok)
    }

    @Test func aCompressedBodyIsRefused() async throws {
        let fixture = try GatewayFixture()
        var headers = GatewayFixture.headers()
        headers[.contentEncoding] = "gzip"
        let response = try await fixture.post("/", headers: headers, body: "x")
        #expect(response.status == .unsupportedMediaType)
        #expect(response.text.contains("gzip"))
    }

    @Test(arguments: [(250_000, HTTPResponse.Status.ok), (1_048_000, .ok), (1_048_577, .badRequest), (5_000_000, .badRequest)])
    func entriesMayCountOneMebibyte(detailBytes: Int, expected: HTTPResponse.Status) async throws {
        let fixture = try GatewayFixture()
        let detail = #"{\"user\":\"u1\",\"x\":\""# + String(repeating: "x", count: detailBytes - 60) + #"\"}"#
        let padding = detailBytes > 1_048_576 ? String(repeating: "y", count: 60) : ""
        let response = try await fixture.call(
            body: #"{"Entries":[\#(GatewayFixture.entry(detail: detail, source: "shop.orders" + padding))]}"#)
        #expect(response.status == expected)
        if expected != .ok {
            let message = "Total size of the entries in the request is over the limit."
            #expect(response.text == #"{"__type":"ValidationException","message":"\#(message)"}"#)
        }
    }

    @Test func quotationMarksDoNotCountTwice() async throws {
        let fixture = try GatewayFixture()
        // 700,000 bytes of detail, 1,400,000 in the request.
        let list = Array(repeating: #"\"\""#, count: 233_000).joined(separator: ",")
        let response = try await fixture.call(
            body: #"{"Entries":[\#(GatewayFixture.entry(detail: #"{\"user\":\"u1\",\"x\":[\#(list)]}"#))]}"#)
        #expect(response.status == .ok)
    }

    @Test func aListenerThatIsNotAnonymousRefusesAndPublishesNothing() async throws {
        let fixture = try GatewayFixture(anonymous: false)
        var headers = GatewayFixture.headers()
        headers[.authorization] = "AWS4-HMAC-SHA256 Credential=x/20251123/us-east-1/events/aws4_request, SignedHeaders=host, Signature=0"
        let response = try await fixture.post("/", headers: headers, body: #"{"Entries":[\#(GatewayFixture.entry())]}"#)
        #expect(response.status == .forbidden)
        let answer = try JSONDocument(parsing: Array(response.body.readableBytesView)).root
        #expect(answer["__type"]?.stringValue == "MissingAuthenticationTokenException")
        #expect(fixture.broker.published.isEmpty)
    }

    @Test func aSignatureIsNotLookedAtWhereTheListenerIsAnonymous() async throws {
        let fixture = try GatewayFixture()
        var headers = GatewayFixture.headers()
        headers[.authorization] = "AWS4-HMAC-SHA256 Credential=x/20251123/us-east-1/events/aws4_request, SignedHeaders=host, Signature=0"
        let response = try await fixture.post("/", headers: headers, body: #"{"Entries":[\#(GatewayFixture.entry())]}"#)
        #expect(response.status == .ok)
    }

    @Test("A call that would have to wait behind too much does nothing, and is told so as the service tells it")
    func throttled() async throws {
        let fixture = try GatewayFixture()
        let body = #"{"Entries":[\#(GatewayFixture.entry())]}"#
        fixture.broker.setFull(true)
        let refused = try await fixture.call(body: body)
        #expect(refused.status == .badRequest)
        #expect(String(buffer: refused.body).contains(#""__type":"ThrottlingException""#))
        let route = try await fixture.post("/order", body: #"{"detail":{"user":"u1"}}"#)
        #expect(route.status == .tooManyRequests)
        #expect(String(buffer: route.body).contains("ThrottlingException"))
        #expect(fixture.broker.published == [])
        #expect(fixture.engine.counters.eventsAccepted == 0)
        fixture.broker.setFull(false)
        #expect(try await fixture.call(body: body).status == .ok)
        #expect(fixture.broker.published.count == 1)
    }

    @Test func requestsAreCountedByHandlerAndStatus() async throws {
        let fixture = try GatewayFixture()
        _ = try await fixture.call(body: "{")
        _ = try await fixture.call(body: #"{"Entries":[\#(GatewayFixture.entry())]}"#)
        _ = try await fixture.call(body: #"{"Entries":[\#(GatewayFixture.entry())]}"#)
        _ = try await fixture.send(.get, "/nothing")
        #expect(
            fixture.counters.counts == [
                .init(handler: .putEvents, status: 200, requests: 2), .init(handler: .putEvents, status: 400, requests: 1),
                .init(handler: .unmatched, status: 404, requests: 1),
            ])
    }
}
