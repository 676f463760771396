import AdminServer
import BrokerCore
import Hummingbird
import HummingbirdTesting
import Testing

@Suite struct HealthTests {
    @Test func readinessFollowsStartAndDrain() async throws {
        let fixture = try InspectionFixture()
        let starting = try await fixture.get("/readyz")
        #expect(starting.status == .serviceUnavailable && starting.text == "starting\n")
        fixture.readiness.becameReady()
        let ready = try await fixture.get("/readyz")
        #expect(ready.status == .ok && ready.text == "ready\n")
        fixture.readiness.drainingBegan()
        let draining = try await fixture.get("/readyz")
        #expect(draining.status == .serviceUnavailable && draining.text == "draining\n")
        fixture.readiness.becameReady()
        #expect(try await fixture.get("/readyz").status == .serviceUnavailable)
        #expect(try await fixture.get("/livez").status == .ok)
    }

    @Test("A store that cannot write is told of, and what needs none goes on")
    func storeTrouble() async throws {
        var statistics = StoreStatistics(durability: "strict")
        statistics.isFailing = true
        let fixture = try InspectionFixture(store: statistics)
        #expect(try await fixture.get("/readyz").text == "starting\n")
        fixture.readiness.becameReady()
        let ready = try await fixture.get("/readyz")
        #expect(ready.status == .ok && ready.text == "ready; the store cannot write, and what needs it is refused\n")
    }

    @Test(arguments: ["/metrics", "/api/v1/clients", "/api/v1/tail", "/api/v1/version", "/anything"])
    func aListenerThatIsNotAnonymousAnswersHealthOnly(path: String) async throws {
        let fixture = try InspectionFixture(anonymous: false)
        let response = try await fixture.get(path)
        #expect(response.status == .forbidden)
        #expect(response.text.hasPrefix(#"{"error":"this listener has no credentials for administrators"#))
        #expect(try await fixture.get("/livez").status == .ok)
        #expect(try await fixture.get("/readyz").status == .serviceUnavailable)
    }

    @Test(arguments: [HTTPRequest.Method.post, .put, .delete, .options, .head, .patch])
    func onlyGETIsSupported(method: HTTPRequest.Method) async throws {
        let response = try await InspectionFixture().get("/api/v1/clients", method: method)
        #expect(response.status == .methodNotAllowed)
        #expect(response.headers[.allow] == "GET")
    }

    @Test("HEAD is answered as GET, without the body", arguments: ["/livez", "/readyz", "/metrics", "/nothing"])
    func head(path: String) async throws {
        let fixture = try InspectionFixture()
        let whole = try await fixture.get(path)
        let head = try await fixture.get(path, method: .head)
        #expect(head.status == whole.status)
        #expect(head.text.isEmpty && !whole.text.isEmpty)
        #expect(head.headers[.contentType] == whole.headers[.contentType])
        #expect(head.headers[.contentLength].map { !$0.isEmpty && $0 != "0" } == true)
        let other = try await fixture.get("/livez", method: .post)
        #expect(other.status == .methodNotAllowed && other.headers[.allow] == "GET, HEAD")
    }

    @Test(arguments: ["/console/", "/console/nothing.js", "/api", "/api/v1/", "/api/v1/nothing", "/api/v2/clients", "/livez/"])
    func anUnknownPathIsNotFound(path: String) async throws {
        let response = try await InspectionFixture().get(path)
        #expect(response.status == .notFound)
        #expect(response.text == #"{"error":"not found"}"#)
    }

    @Test func noAnswerMayBeTakenForAPageOrReadByOne() async throws {
        for path in ["/livez", "/readyz", "/metrics", "/api/v1/version", "/nothing"] {
            let response = try await InspectionFixture().get(path)
            #expect(response.headers[.init("X-Content-Type-Options")!] == "nosniff")
            #expect(response.headers[.accessControlAllowOrigin] == nil)
            #expect(response.headers[.cacheControl] == "no-store")
        }
    }
}
