import AdminServer
import BrokerCore
import Foundation
import Hummingbird
import HummingbirdTesting
import MQTTCodec
import Synchronization
import Testing

/// What the admin API says of itself in OpenAPI, and whether its answers are so.
@Suite struct APIDescriptionTests {
    /// The description, as any reader of JSON has it.
    private static func description(_ fixture: InspectionFixture) async throws -> [String: Any] {
        let response = try await fixture.get("/api/v1/openapi.json")
        #expect(response.status == .ok)
        return try #require(try JSONSerialization.jsonObject(with: Data(response.body.readableBytesView)) as? [String: Any])
    }

    private static func schema(of path: String, in description: [String: Any]) throws -> [String: Any] {
        var node: Any = description
        for key in ["paths", path, "get", "responses", "200", "content", "application/json", "schema"] {
            node = try #require((node as? [String: Any])?[key], "\(path) has no \(key)")
        }
        return try #require(node as? [String: Any])
    }

    @Test(
        "Each answer is what its description says",
        arguments: [
            "clients", "clients/a", "subscriptions", "topics", "topics/tree", "retained", "rules", "deadletters", "destinations",
            "archives", "statistics", "version", "certificates",
        ])
    func answers(call: String) async throws {
        let topics = [TopicSummary(topic: "a", messages: 1, bytes: 2, lastSeenSeconds: 3, retained: false)]
        let fixture = try InspectionFixture(
            broker: StagedBroker(clients: [InspectionCallTests.client("a")], topics: topics))
        try fixture.putEvents()
        fixture.broker.operators.withLock { staging in
            staging.subscriptions = [SubscriptionSummary(clientID: "a", connected: true, filter: "t", qos: 0)]
            staging.branches = [TopicBranch(name: "a", topic: "a")]
            staging.retained = [
                RetainedSummary(message: Message(topic: "a", payload: [1], qos: .atMostOnce), ageMilliseconds: 1, retainedMilliseconds: 1)
            ]
        }
        let description = try await Self.description(fixture)
        let schema = try Self.schema(of: "/api/v1/\(call == "clients/a" ? "clients/{id}" : call)", in: description)
        let answer = try await fixture.get("/api/v1/\(call)")
        let value = try JSONSerialization.jsonObject(with: Data(answer.body.readableBytesView))
        #expect(Self.differences(of: value, from: schema, at: call) == [])
    }

    @Test("A description without variables in its paths names what each call takes")
    func parameters() async throws {
        let description = try await Self.description(try InspectionFixture())
        let paths = try #require(description["paths"] as? [String: [String: [String: Any]]])
        #expect(description["security"] == nil)
        let parameters = try #require(paths["/api/v1/topics"]?["get"]?["parameters"] as? [[String: Any]])
        #expect(parameters.compactMap { $0["name"] as? String } == ["filter", "search", "sort", "limit"])
        #expect(paths["/api/v1/reload"]?["post"] != nil && paths["/api/v1/reload"]?["get"] == nil)
        let responses = try #require(paths["/api/v1/reload"]?["post"]?["responses"] as? [String: Any])
        #expect(responses.keys.contains("200") && responses.keys.contains("415"))
    }

    @Test("Where administrators show a token, the description says so")
    func security() async throws {
        let fixture = try InspectionFixture(anonymous: false, administrators: { _ in nil })
        let response = try await fixture.get("/api/v1/openapi.json", headers: [.authorization: "Bearer x"])
        #expect(response.text.contains(#""security":[{"administrator":[]}]"#))
    }

    /// Where a value is not what a schema says, a member that the schema does not name among it.
    private static func differences(of value: Any, from schema: [String: Any], at place: String) -> [String] {
        switch schema["type"] as? String {
        case "object":
            guard let members = value as? [String: Any] else { return ["\(place) is no object"] }
            let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
            let others = schema["additionalProperties"] as? [String: Any]
            let missing = (schema["required"] as? [String] ?? []).filter { members[$0] == nil }.map { "\(place) has no \($0)" }
            return missing
                + members.flatMap { name, member in
                    (properties[name] ?? others).map { differences(of: member, from: $0, at: "\(place).\(name)") }
                        ?? ["\(place).\(name) is not described"]
                }
        case "array":
            guard let elements = value as? [Any], let items = schema["items"] as? [String: Any] else { return ["\(place) is no list"] }
            return elements.flatMap { differences(of: $0, from: items, at: "\(place)[]") }
        case "string": return value is String ? [] : ["\(place) is no text"]
        case "integer", "number": return value is NSNumber ? [] : ["\(place) is no number"]
        case "boolean": return value is Bool ? [] : ["\(place) is neither true nor false"]
        default: return []
        }
    }
}
