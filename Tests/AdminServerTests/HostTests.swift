import AdminServer
import CremaTesting
import Hummingbird
import Synchronization
import Testing

/// Threat 65, on a listener for people.
@Suite struct HostTests {
    private static let json: HTTPFields = [.contentType: "application/json"]

    private func status(
        _ fixture: InspectionFixture, _ path: String, host: String, origin: String? = nil, token: String? = nil
    ) async throws -> HTTPResponse.Status {
        var fields = Self.json
        fields[.origin] = origin
        fields[.authorization] = token.map { "Bearer \($0)" }
        let changes = path == "/api/v1/publish"
        let body = changes ? #"{"topic":"a","payload":"x"}"# : ""
        return try await fixture.server.application.answer(changes ? .post : .get, path, host: host, fields, body: body).status
    }

    @Test(
        "Threat 65: whom it cannot tell apart it answers under an address or a listed name",
        arguments: ["/metrics", "/api/v1/clients", "/", "/api/v1/publish"])
    func anonymous(path: String) async throws {
        let fixture = try InspectionFixture(host: "0.0.0.0", hosts: ["crema"])
        #expect(try await status(fixture, path, host: "evil.example") == .forbidden)
        #expect(try await status(fixture, path, host: "evil.example:9090", origin: "http://evil.example:9090") == .forbidden)
        #expect(
            try await status(fixture, path, host: "10.1.2.3:9090", origin: path == "/api/v1/publish" ? "http://10.1.2.3:9090" : nil) == .ok)
        #expect(try await status(fixture, path, host: "crema:9090", origin: path == "/api/v1/publish" ? "http://crema:9090" : nil) == .ok)
        #expect(fixture.broker.operators.withLock { $0.published }.count == (path == "/api/v1/publish" ? 2 : 0))
    }

    @Test("Threat 65: a page of another host changes nothing, whatever address the request names")
    func origins() async throws {
        let fixture = try InspectionFixture(host: "0.0.0.0")
        for origin in ["http://evil.example", "http://10.1.2.4:9090", "null"] {
            #expect(try await status(fixture, "/api/v1/publish", host: "10.1.2.3:9090", origin: origin) == .forbidden)
        }
        #expect(fixture.broker.operators.withLock { $0.published }.isEmpty)
    }

    @Test("Health is told to everybody, and who shows a secret may use any name of the network's")
    func proved() async throws {
        let open = try InspectionFixture(host: "0.0.0.0")
        #expect(try await status(open, "/livez", host: "evil.example") == .ok)
        let closed = try InspectionFixture(host: "0.0.0.0", anonymous: false) {
            String(decoding: $0, as: UTF8.self) == "secret" ? nil : "it is another"
        }
        #expect(try await status(closed, "/api/v1/clients", host: "broker.example", token: "secret") == .ok)
        #expect(try await status(closed, "/api/v1/clients", host: "broker.example") == .unauthorized)
        let loopback = try InspectionFixture(anonymous: false) { String(decoding: $0, as: UTF8.self) == "secret" ? nil : "it is another" }
        #expect(try await status(loopback, "/api/v1/clients", host: "broker.example", token: "secret") == .forbidden)
    }
}
