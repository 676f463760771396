import BrokerCore
import BrokerServer
import MQTTCodec
import NIOCore
import Rights
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

    @Test("A credential counts as long as the listener's file has it as it was")
    func takenBack() throws {
        func users(_ lines: String...) throws -> ScramCredentials { try ScramCredentials(text: Array(lines.joined(separator: "\n").utf8)) }
        func line(_ name: String) throws -> String {
            try ScramCredentials.line(userName: name, ScramCredential(password: "pencil", iterations: 4_096))
        }
        let (ann, bob, otherAnn) = (try line("ann"), try line("bob"), try line("ann"))
        let first = try users(ann, bob)
        let credential = CredentialFingerprint(try #require(first.fingerprint(of: "ann")))
        let authorizer = SiteAuthorizer(credentials: ["a": first])
        func counts(_ name: String? = "ann", at listener: String = "a") -> Bool {
            let info = ConnectionInfo(peer: "p", listener: listener, allowsAnonymous: false)
            return authorizer.refusal(ofCredential: credential, by: name, on: info) == nil
        }
        #expect(counts())
        #expect(!counts("bob") && !counts(nil) && !counts(at: "b"))
        for (text, isKept) in [("\(bob)\n\(ann)", true), (bob, false), ("\(otherAnn)\n\(bob)", false), ("", false)] {
            authorizer.replace(credentials: ["a": try users(text)], policies: PolicyBook())
            #expect(counts() == isKept, "\(text)")
        }
        authorizer.replace(credentials: [:], policies: PolicyBook())
        #expect(!counts())
    }
}
