import Testing

@testable import HTTPExchange

@Suite struct HostGuardTests {
    @Test(arguments: [
        "127.0.0.1", "127.0.0.1:9090", "127.9.9.9", "localhost", "LOCALHOST:1", "shop.localhost", "[::1]", "[::1]:9090",
        "[0:0:0:0:0:0:0:1]",
    ])
    func aLoopbackListenerAnswersForLoopbackNames(authority: String) {
        #expect(HostGuard(boundTo: "127.0.0.1").admits(authority))
        #expect(HostGuard(boundTo: "::1").admits(authority))
        #expect(HostGuard(boundTo: "localhost").admits(authority))
    }

    @Test(arguments: [
        "evil.example", "evil.example:9090", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "[::2]", "", ":9090", "[",
        "127.1",
    ])
    func aLoopbackListenerRefusesOtherNames(authority: String) {
        #expect(!HostGuard(boundTo: "127.0.0.1").admits(authority))
    }

    @Test(
        "Threat 65: a name on the network is answered where it is listed, an address always",
        arguments: ["0.0.0.0", "10.1.2.3", "::", "broker.example"])
    func aListenerForTheNetwork(bound: String) {
        let hosts = HostGuard(boundTo: bound, names: ["Crema", "shop.example"])
        for authority in ["10.1.2.3:8080", "[fd00::1]:8080", "127.0.0.1", "localhost:8080", "crema:8080", "CREMA", "Shop.example"] {
            #expect(hosts.admits(authority), "\(authority)")
        }
        for authority in ["broker.example", "evil.example:8080", "x.shop.example", "10.1.2.3.evil.example", "127.1", ""] {
            #expect(!hosts.admits(authority), "\(authority)")
        }
        #expect(HostGuard(boundTo: "127.0.0.1", names: ["crema"]).admits("crema:80"))
    }

    @Test func aRequestWithoutAHostIsAnswered() {
        #expect(HostGuard(boundTo: "127.0.0.1").admits(nil))
    }
}
