import BrokerCore
import BrokerServer
import MQTTCodec
import NIOCore
import Testing
import Trust

@Suite struct ScramExchangeTests {
    /// The exchange of RFC 7677, whose server nonce cannot be chosen here: so only what the client can check of it.
    @Test("A listener with users takes SCRAM-SHA-256, another one does not, and 3.1.1 is told what is wanted")
    func methods() throws {
        let credential = try ScramCredential(password: "pencil")
        let line = try ScramCredentials.line(userName: "user", credential)
        let authorizer = SiteAuthorizer(credentials: ["a": try ScramCredentials(text: Array(line.utf8))])
        let open = ConnectionInfo(peer: "p", listener: "a", allowsAnonymous: false)
        let closed = ConnectionInfo(peer: "p", listener: "b", allowsAnonymous: false)
        #expect(authorizer.exchange(method: "SCRAM-SHA-256", on: closed) == nil)
        #expect(authorizer.exchange(method: "SCRAM-SHA-1", on: open) == nil)
        guard case .refused(.notAuthorized, let text) = authorizer.authenticate(Connect(clientID: "c"), on: open) else {
            Issue.record("taken without proof")
            return
        }
        #expect(text.contains("SCRAM-SHA-256"))
        let exchange = try #require(authorizer.exchange(method: "SCRAM-SHA-256", on: open))
        #expect(exchange.receive(nil) == .challenge(ByteBuffer()))
        guard case .challenge(let first) = exchange.receive(ByteBuffer(string: "n,,n=user,r=abc")) else {
            Issue.record("no challenge")
            return
        }
        #expect(String(buffer: first).hasPrefix("r=abc"))
        guard case .refused(.notAuthorized, _) = exchange.receive(ByteBuffer(string: "c=biws,r=abc,p=AAAA")) else {
            Issue.record("a wrong proof was taken")
            return
        }
    }
}
