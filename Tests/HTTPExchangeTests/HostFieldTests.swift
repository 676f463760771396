import NIOHTTP1
import Testing

@testable import HTTPExchange

@Suite struct HostFieldTests {
    @Test(arguments: [
        "", "x", "shop.example", "shop.example:80", "shop.example:", "127.0.0.1:65535", "[::1]", "[::1]:8080", "[::ffff:10.0.0.1]",
        "a_b-c~%41!$&'()*+,;=",
    ])
    func aHostWithAnOptionalPortIsTaken(value: String) { #expect(HostField.isValid(value)) }

    @Test(arguments: [
        "a b", "a/b", "user@host", "http://x", "a:b", "a:1:2", "a:123456", "[]", "[::1", "[::1]x", "[x]", "a?", "a#", "é", "a,b c",
    ])
    func anythingElseIsRefused(value: String) { #expect(!HostField.isValid(value)) }

    @Test func aRequestHasOneHost() {
        func fault(_ version: HTTPVersion, _ hosts: String...) -> String? {
            HostField.fault(in: HTTPRequestHead(version: version, method: .GET, uri: "/", headers: .init(hosts.map { ("Host", $0) })))
        }
        #expect(fault(.http1_1, "x") == nil)
        #expect(fault(.http1_1)?.contains("no Host field") == true)
        #expect(fault(.http1_1, "x", "x")?.contains("2 Host fields") == true)
        #expect(fault(.http1_0) == nil)
        #expect(fault(.http1_0, "x", "y") != nil)
        #expect(fault(.http1_0, "x y") != nil)
    }
}
