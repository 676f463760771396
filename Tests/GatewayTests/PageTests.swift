import CremaTesting
import Gateway
import HTTPListening
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

/// Files for browsers, beside the routes of a listener for programs.
@Suite struct PageTests {
    private static let pages = PageTable([
        "/index.html": PageFile(named: "index.html", bytes: Array("<!doctype html>".utf8)),
        "/shop/app.js": PageFile(named: "app.js", bytes: Array("let a = 1".utf8)),
        "/order": PageFile(named: "order", bytes: Array("a page".utf8)),
        "/mqtt": PageFile(named: "mqtt", bytes: Array("a page".utf8)),
    ])

    private func get(
        _ path: String, method: HTTPRequest.Method = .get, headers: HTTPFields = [:], anonymous: Bool = true
    ) async throws -> TestResponse {
        try await GatewayFixture(anonymous: anonymous, pages: Self.pages).send(method, path, headers: headers)
    }

    @Test("A page is answered with its type, and with what it may do in a browser")
    func answers() async throws {
        let response = try await get("/shop/app.js?version=1")
        #expect(response.status == .ok && String(buffer: response.body) == "let a = 1")
        #expect(response.headers[.contentType] == "text/javascript; charset=utf-8")
        #expect(response.headers[.xContentTypeOptions] == "nosniff")
        let policy = try #require(response.headers[.contentSecurityPolicy])
        #expect(policy.hasPrefix("default-src 'self';") && policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"))
        #expect(try await get("/").headers[.contentType] == "text/html; charset=utf-8")
        #expect(try await get("/shop/").status == .notFound)
    }

    @Test("A browser that has the same bytes gets none")
    func validates() async throws {
        let tag = try #require(try await get("/").headers[.eTag])
        for shown in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
            let response = try await get("/", headers: [.ifNoneMatch: shown])
            #expect(response.status == .notModified && response.body.readableBytes == 0 && response.headers[.eTag] == tag)
        }
        #expect(try await get("/", headers: [.ifNoneMatch: "\"other\""]).status == .ok)
        #expect(PageFile(named: "a", bytes: [1]).entityTag != PageFile(named: "a", bytes: [2]).entityTag)
    }

    @Test("HEAD has the length and no body")
    func head() async throws {
        let response = try await get("/shop/app.js", method: .head)
        #expect(response.status == .ok && response.body.readableBytes == 0 && response.headers[.contentLength] == "9")
    }

    @Test("Only GET and HEAD ask for pages; routes, services and MQTT keep their paths")
    func routesWin() async throws {
        #expect(try await get("/", method: .post).status == .notFound)
        #expect(try await get("/shop/app.js", method: .delete).status == .notFound)
        let fixture = try GatewayFixture(pages: Self.pages)
        let order = try await fixture.post("/order", headers: [.contentType: "application/json"], body: #"{"detail":{"user":"u"}}"#)
        #expect(order.status == .ok && String(buffer: order.body).contains("FailedEntryCount"))
        #expect(String(buffer: try await get("/order").body) == "a page")
    }

    @Test(
        "Threat 62: no spelling of a path leads anywhere but to a file that was put in",
        arguments: [
            "/../index.html", "/shop/../index.html", "/%69ndex.html", "/shop%2Fapp.js", "/shop//app.js", "//index.html", "/./index.html",
            "/shop/%2e%2e/index.html", "/index.html/", "/shop\\app.js", "/.", "/..", "/INDEX.HTML", "/index.html%00",
        ])
    func noEscape(path: String) async throws {
        #expect(try await get(path).status != .ok)
    }

    @Test("Pages are for everybody, also where requests have to prove who sends them")
    func closed() async throws {
        #expect(try await get("/", anonymous: false).status == .ok)
        #expect(try await get("/nowhere", anonymous: false).status == .forbidden)
    }

    @Test("A reload puts other pages in force")
    func replaced() async throws {
        let fixture = try GatewayFixture(pages: Self.pages)
        fixture.server.replace(routes: try RouteTable([]), pages: PageTable(["/new": PageFile(named: "new.txt", bytes: [104, 105])]))
        #expect(try await fixture.send(.get, "/").status == .notFound)
        #expect(String(buffer: try await fixture.send(.get, "/new").body) == "hi")
    }

    @Test(
        "Names that a URL would have to encode are no pages' names",
        arguments: [
            ("index.html", true), ("a-b_c.9", true), (".hidden", false), ("..", false), ("a b", false), ("a%20", false), ("ä", false),
            ("a/b", false),
        ])
    func names(name: String, isTaken: Bool) {
        #expect(PageTable.takes(name: name) == isTaken)
    }
}
