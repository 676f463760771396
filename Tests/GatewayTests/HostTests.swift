import BrokerCore
import CremaTesting
import Hummingbird
import Testing
import Trust

@testable import Gateway

/// Threat 65: a page that was given the listener's address by DNS is of the listener's own origin to the browser.
@Suite struct HostTests {
    /// What a page can ask for without its browser's asking first, and without an `Origin`; and what it can ask for as its own origin.
    private static let calls: [(HTTPRequest.Method, String, HTTPFields)] = [
        (.get, "/retainedMessage", [:]), (.get, "/retainedMessage/x", [:]), (.post, "/topics/a", [:]),
        (.get, "/rules", signed("iot")), (.get, "/things", signed("iot")), (.get, "/policies", signed("iot")),
        (.get, "/certificates", signed("iot")), (.get, "/nothing", signed("iot")), (.get, "/retainedMessage", signed("iotdata")),
        (.post, "/", GatewayFixture.headers("ListRules")), (.post, "/", [.amazonTarget: "AmazonSQS.ListQueues"]),
        (.post, "/", [.amazonTarget: "Nobody.Nothing"]), (.post, "/", [.contentType: "application/x-www-form-urlencoded"]),
    ]

    private static func signed(_ service: String) -> HTTPFields {
        [.authorization: "AWS4-HMAC-SHA256 Credential=any/20260102/us-east-1/\(service)/aws4_request, SignedHeaders=host, Signature=0"]
    }

    private func status(
        _ fixture: GatewayFixture, _ call: (method: HTTPRequest.Method, path: String, fields: HTTPFields), host: String?,
        _ more: HTTPFields = [:]
    ) async throws -> (status: HTTPResponse.Status, isForeignHost: Bool) {
        let body = call.path == "/" && call.fields[.amazonTarget] == nil ? "Action=ListQueues" : "{}"
        var fields = call.fields
        for field in more { fields[field.name] = field.value }
        let answer = try await fixture.server.application.answer(call.method, call.path, host: host, fields, body: body)
        return (answer.status, answer.status == .forbidden && answer.text.contains("are not answered for the host"))
    }

    @Test("Threat 65: services answer only for names that no page elsewhere can have", arguments: calls.indices)
    func services(index: Int) async throws {
        let call = Self.calls[index]
        let loopback = try GatewayFixture()
        for host in ["evil.example", "evil.example:8080", "10.1.2.3", ""] {
            #expect(try await status(loopback, call, host: host).isForeignHost, "\(host)")
        }
        for host in ["127.0.0.1:8080", "localhost", "[::1]:1", nil] {
            #expect(try await !status(loopback, call, host: host).isForeignHost, "\(host ?? "none")")
        }
        let network = try GatewayFixture(host: "0.0.0.0", hosts: ["crema"])
        #expect(try await status(network, call, host: "evil.example").isForeignHost)
        for host in ["10.1.2.3:8080", "crema:8080", "[fd00::1]", "localhost"] {
            #expect(try await !status(network, call, host: host).isForeignHost, "\(host)")
        }
        #expect(loopback.broker.messages.count <= 4 && network.broker.messages.count <= 4)
    }

    @Test("Threat 65: what a rebound page publishes goes nowhere")
    func nothingIsPublished() async throws {
        let fixture = try GatewayFixture()
        let answer = try await fixture.server.application.answer(.post, "/topics/a", host: "evil.example", body: "x")
        #expect(answer.status == .forbidden)
        #expect(answer.text.contains("'evil.example'") && answer.text.contains("`hosts`"), "\(answer.text)")
        #expect(fixture.broker.messages.isEmpty)
    }

    @Test("Routes answer for every host, as APIs do under names of their own")
    func routes() async throws {
        let fixture = try GatewayFixture()
        let answer = try await fixture.server.application.answer(
            .post, "/order", host: "api.shop.example", [.contentType: "application/json"], body: #"{"detail":{"user":"u"}}"#)
        #expect(answer.status == .ok)
        #expect(try await fixture.server.application.answer(.get, "/nothing", host: "evil.example").status == .notFound)
    }

    @Test(
        "Threat 65: a browser that says that a page asks is not answered, whatever the origin",
        arguments: ["same-origin", "same-site", "cross-site"])
    func fetchMetadata(site: String) async throws {
        let fixture = try GatewayFixture()
        for call in Self.calls {
            let answer = try await status(fixture, call, host: "localhost", [.fetchSite: site])
            #expect([.forbidden, .notFound].contains(answer.status), "\(call.1): \(answer.status)")
        }
        #expect(fixture.broker.messages.isEmpty)
        // What a person types into the address bar.
        #expect(try await status(fixture, (.get, "/retainedMessage", [:]), host: "localhost", [.fetchSite: "none"]).status == .ok)
    }
}
