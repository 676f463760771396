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

    @Test func aListenerForTheNetworkAnswersForEveryName() {
        #expect(HostGuard(boundTo: "0.0.0.0").admits("broker.example"))
        #expect(HostGuard(boundTo: "10.1.2.3").admits("broker.example"))
    }

    @Test func aRequestWithoutAHostIsAnswered() {
        #expect(HostGuard(boundTo: "127.0.0.1").admits(nil))
    }
}
