import AdminServer
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

/// Listeners for people that ask who it is.
@Suite struct AdministratorTests {
    private func fixture() throws -> InspectionFixture {
        try InspectionFixture(
            anonymous: false, administrators: { $0.elementsEqual("s3cret".utf8) ? nil : "it is not the listener's secret" })
    }

    private func headers(_ values: String...) -> HTTPFields {
        var headers = HTTPFields()
        for value in values { headers.append(HTTPField(name: .authorization, value: value)) }
        return headers
    }

    @Test("An administrator reads everything", arguments: ["Bearer s3cret", "bearer s3cret", "BEARER   s3cret"])
    func administrators(value: String) async throws {
        for path in ["/metrics", "/api/v1/clients"] {
            #expect(try await fixture().get(path, headers: headers(value)).status == .ok)
        }
    }

    @Test(
        "Everybody else reads health only, and is told what to do",
        arguments: ["", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3crets", "Basic czNjcmV0", "s3cret", "Bearer Bearer s3cret"])
    func others(value: String) async throws {
        let fixture = try fixture()
        for path in ["/metrics", "/api/v1/clients", "/api/v1/tail", "/anything"] {
            let response = try await fixture.get(path, headers: value.isEmpty ? [:] : headers(value))
            #expect(response.status == .unauthorized)
            #expect(response.headers[.wwwAuthenticate] == "Bearer")
            #expect(response.text.contains("CREMA_ADMIN_TOKEN"))
            #expect(!response.text.contains("s3cre"), "what was shown is not said again")
        }
        #expect(try await fixture.get("/livez").status == .ok)
        #expect(try await fixture.get("/readyz").status == .serviceUnavailable)
    }

    @Test func twoFieldsAreNone() async throws {
        let response = try await fixture().get("/metrics", headers: headers("Bearer s3cret", "Bearer other"))
        #expect(response.status == .unauthorized)
    }
}
