import AdminServer
import Console
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

/// The console's files on a listener for people.
@Suite struct ConsoleTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Sources/ConsolePages/pages").standardizedFileURL

    @Test("Every file of the folder is a part of the program, byte for byte")
    func embedded() throws {
        let names = try FileManager.default.subpathsOfDirectory(atPath: Self.folder.path).filter { $0.contains(".") }
        #expect(Set(ConsoleFiles.all.keys) == Set(names.map { "/\($0)" }))
        for (path, bytes) in ConsoleFiles.all {
            #expect(try Data(contentsOf: Self.folder.appending(path: path)) == Data(bytes), "\(path)")
        }
    }

    @Test("The console is for everybody who reaches the listener, its calls are not")
    func open() async throws {
        let fixture = try InspectionFixture(anonymous: false, administrators: { _ in "no" })
        let page = try await fixture.get("/")
        #expect(page.status == .ok && page.headers[.contentType] == "text/html; charset=utf-8")
        #expect(page.headers[.contentSecurityPolicy]?.hasPrefix("default-src 'self';") == true)
        #expect(try await fixture.get("/console/main.js", method: .head).status == .ok)
        #expect(try await fixture.get("/api/v1/clients").status == .unauthorized)
        #expect(try await fixture.get("/console/nothing.js").status == .unauthorized)
        #expect(try await fixture.get("/", method: .post).status == .methodNotAllowed)
    }

    @Test("Threat 63: the console makes markup of nothing, and has nothing inline")
    func sinks() throws {
        for (path, bytes) in ConsoleFiles.all {
            let text = String(decoding: bytes, as: UTF8.self)
            for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "http://", "https://"] {
                let isNamespace = text.replacing("http://www.w3.org/2000/svg", with: "")
                #expect(!isNamespace.contains(sink), "\(path) has \(sink)")
            }
            if path.hasSuffix(".html") { #expect(!text.contains("<style") && !text.contains(" onclick=") && !text.contains("<script>")) }
        }
    }
}
