import AdminServer
import BrokerCore
import Documents
import EventBus
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Synchronization
import Testing

/// Dead letters that operators deliver again or remove.
@Suite struct DeadLetterCallTests {
    private static func letters(_ fixture: InspectionFixture) async throws -> [DeadLetterDocument] {
        let response = try await fixture.get("/api/v1/deadletters")
        return try InspectionCallTests.decode(ListDocument<DeadLetterDocument>.self, response).rows
    }

    @Test("What is delivered again goes where its rule sends it now; the letter is gone")
    func redriven() async throws {
        let fixture = try InspectionFixture()
        // Its rule has no value for the topic of this one: it will fail again, as a new letter.
        try fixture.putEvents()
        let letter = try #require(try await Self.letters(fixture).first)
        let id = try #require(letter.id)
        let response = try await fixture.change("/api/v1/deadletters/redrive", #"{"ids":["\#(id)"]}"#)
        #expect(try InspectionCallTests.decode(RedriveDocument.self, response) == RedriveDocument(redriven: 1, failed: []))
        let after = try await Self.letters(fixture)
        #expect(after.count == 1 && after[0].id != id && after[0].event == letter.event)
    }

    @Test("By the rule, all of it")
    func redrivenByRule() async throws {
        let fixture = try InspectionFixture()
        for _ in 0..<3 { try fixture.putEvents() }
        let other = try await fixture.change("/api/v1/deadletters/redrive", #"{"rule":"UserStatus","bus":"other"}"#)
        #expect(try InspectionCallTests.decode(RedriveDocument.self, other).redriven == 0)
        let response = try await fixture.change("/api/v1/deadletters/redrive", #"{"rule":"UserStatus"}"#)
        #expect(try InspectionCallTests.decode(RedriveDocument.self, response).redriven == 3)
    }

    @Test("What a broker that stops does not take is a dead letter as before")
    func redrivenAtAStop() async throws {
        let fixture = try InspectionFixture()
        try fixture.putEvents()
        let id = try #require(try await Self.letters(fixture).first?.id)
        let shop = InspectionFixture.shop.replacing("users/<user>", with: "users/u1").replacing(#"{"user": <user>}"#, with: #""u""#)
        let template = try TemplateDocument(file: "shop.yaml", text: shop, parameters: [:])
        fixture.engine.replace(resources: try ResourceSet(templates: [template]))
        fixture.broker.operators.withLock { $0.outcome = .refused }
        let redrive = { try await fixture.change("/api/v1/deadletters/redrive", #"{"ids":["\#(id)"]}"#) }
        let refused = try InspectionCallTests.decode(RedriveDocument.self, try await redrive())
        #expect(refused.redriven == 0 && refused.failed.map(\.reason) == ["the broker stops"])
        #expect(try await Self.letters(fixture).map(\.id) == [id])
        fixture.broker.operators.withLock { $0.outcome = .kept }
        #expect(try InspectionCallTests.decode(RedriveDocument.self, try await redrive()).redriven == 1)
        #expect(fixture.broker.operators.withLock { $0.published.count } == 1)
        let page = try await fixture.change("/api/v1/publish", #"{"topic":"a","payload":"x"}"#)
        #expect(page.status == .ok)
        for outcome in [PublishOutcome.refused, .notKept] {
            fixture.broker.operators.withLock { $0.outcome = outcome }
            #expect(try await fixture.change("/api/v1/publish", #"{"topic":"a","payload":"x"}"#).status == .serviceUnavailable)
        }
    }

    @Test("What cannot be delivered again stays, with the reason")
    func refused() async throws {
        let fixture = try InspectionFixture()
        try fixture.putEvents()
        let id = try #require(try await Self.letters(fixture).first?.id)
        fixture.engine.replace(resources: try ResourceSet(templates: []))
        let response = try await fixture.change("/api/v1/deadletters/redrive", #"{"ids":["\#(id)","99","x"]}"#)
        let document = try InspectionCallTests.decode(RedriveDocument.self, response)
        #expect(document.redriven == 0 && document.failed.map(\.id) == [id, "99", "x"])
        #expect(document.failed[0].reason == "the rule default/UserStatus is gone")
        #expect(try await Self.letters(fixture).map(\.id) == [id])
    }

    @Test("One is removed, once")
    func removed() async throws {
        let fixture = try InspectionFixture()
        try fixture.putEvents()
        let id = try #require(try await Self.letters(fixture).first?.id)
        #expect(try await fixture.change("/api/v1/deadletters/\(id)", "{}", method: .delete).text == #"{"removed":true}"#)
        #expect(try await fixture.change("/api/v1/deadletters/\(id)", "{}", method: .delete).status == .notFound)
        #expect(try await Self.letters(fixture).isEmpty)
    }

    @Test(
        "A body that is none is refused with the place",
        arguments: [
            ("{", "it is no JSON"), ("{}", "it has either 'ids' or a 'rule'"), (#"{"ids":["1"],"rule":"a"}"#, "it has either"),
            (#"{"ids":[1]}"#, "'ids.[0]' is of another type"),
        ])
    func badBody(body: String, reason: String) async throws {
        let response = try await InspectionFixture().change("/api/v1/deadletters/redrive", body)
        #expect(response.status == .badRequest && response.text.contains(reason))
    }

    @Test("A form or a page elsewhere changes nothing, and a large body is not read")
    func guarded() async throws {
        var limits = InspectionLimits()
        limits.adminBodyBytesMax = 16
        let fixture = try InspectionFixture(limits: limits)
        let path = "/api/v1/deadletters/redrive"
        #expect(try await fixture.change(path, "{}", headers: [.contentType: "text/plain"]).status == .unsupportedMediaType)
        let foreign: HTTPFields = [.contentType: "application/json", .origin: "https://shop.example"]
        #expect(try await fixture.change(path, "{}", headers: foreign).status == .forbidden)
        let long = try await fixture.change(path, #"{"ids":["1","2","3"]}"#)
        #expect(long.status == .contentTooLarge && long.text.contains("adminBodyBytesMax"))
    }
}
