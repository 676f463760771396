import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Rights
import Testing
import Trust

@testable import BrokerServer

/// Who gets in by a password, with the broker's core behind it, and the file's real hashes.
@Suite struct PasswordCheckTests {
    // Of few iterations, by mosquitto_passwd: `espresso` and `mocha`.
    private static let ann =
        "ann:$7$101$G7SlOagUG+SMU7OK$xcL9je1L5eoM/9fSSvYk7mdQ2R1xNK0peyrEEqorMGp3BhnWCUS8W9Jg1GS7k5EwzCCQqxGt/nh0hbFknXonqw=="
    private static let bob =
        "bob:$6$wCaeDK6A6HQhqp66$3KvFSY9j09pXXjXDcMU/Vq5xm1OujmIc/SrBzvYbGx9kvOhckNG5fTTm1S+9+IIIH8jtMSrv14QHN18rf4jCVg=="

    private func passwords(_ lines: String...) throws -> [String: PasswordFile] {
        ["simulated": try PasswordFile(text: Array(lines.joined(separator: "\n").utf8))]
    }

    private func scram() throws -> [String: ScramCredentials] {
        let line = try ScramCredentials.line(userName: "ann", ScramCredential(password: "pencil", iterations: 4_096))
        return ["simulated": try ScramCredentials(text: Array(line.utf8))]
    }

    /// Connects, and answers the code of CONNACK, the principal, and whether a thread had to look at the password.
    private func connect(
        _ broker: SimulatedBroker, user: String?, password: String?, anonymous: Bool = false, certificate: String? = nil
    ) throws -> (code: ReasonCode?, principal: String?, isChecked: Bool) {
        let client = SimulatedClient("c", of: broker)
        client.open(principal: certificate, allowsAnonymous: anonymous)
        client.send(
            .connect(
                Connect(clientID: "c", keepAlive: 60, version: .v5, userName: user, password: password.map { ByteBuffer(string: $0) })))
        let isChecked = !broker.nodes[0].checks.isEmpty
        broker.settle()
        let packet = try client.read().first
        let principal = broker.clientSummaries().first?.principal
        client.lose()
        broker.settle()
        guard case .connack(let connack)? = packet else { return (nil, principal, isChecked) }
        return (connack.reasonCode, principal, isChecked)
    }

    @Test("Right, wrong, unknown, half and no password; also where anonymous clients are let in", arguments: [false, true])
    func answers(anonymous: Bool) throws {
        let broker = SimulatedBroker(shards: 1, authorizer: SiteAuthorizer(passwords: try passwords(Self.ann, Self.bob)))
        for (user, password) in [("ann", "espresso"), ("bob", "mocha")] {
            let answer = try connect(broker, user: user, password: password, anonymous: anonymous)
            #expect(answer.code == .success && answer.principal == user && answer.isChecked)
        }
        for (user, password) in [
            ("ann", "mocha"), ("ann", ""), ("carl", "espresso"), ("Ann", "espresso"), ("ann\u{301}", "espresso"), ("", ""),
        ] {
            let answer = try connect(broker, user: user, password: password, anonymous: anonymous)
            #expect(answer.code == .badUserNameOrPassword && answer.isChecked, "\(user) \(password)")
        }
        for (user, password) in [("ann", nil), (nil, "espresso")] as [(String?, String?)] {
            let answer = try connect(broker, user: user, password: password, anonymous: anonymous)
            #expect(answer.code == .badUserNameOrPassword && !answer.isChecked)
        }
        let nobody = try connect(broker, user: nil, password: nil, anonymous: anonymous)
        #expect(nobody.code == (anonymous ? .success : .notAuthorized) && nobody.principal == nil)
    }

    @Test("A certificate says who the client is, and no password is looked at then")
    func certificate() throws {
        let broker = SimulatedBroker(shards: 1, authorizer: SiteAuthorizer(passwords: try passwords(Self.ann)))
        let answer = try connect(broker, user: "?SDK=Python", password: "x", certificate: "device")
        #expect(answer.code == .success && answer.principal == "device" && !answer.isChecked)
    }

    @Test("Where SCRAM alone is taken, a password in CONNECT makes nobody anonymous; where neither is, nobody looks at it")
    func scramOnly() throws {
        let broker = SimulatedBroker(shards: 1, authorizer: SiteAuthorizer(credentials: try scram()))
        for (user, password) in [("ann", "pencil"), ("ann", nil), (nil, "x")] as [(String?, String?)] {
            #expect(try connect(broker, user: user, password: password, anonymous: true).code == .badUserNameOrPassword)
        }
        #expect(try connect(broker, user: nil, password: nil, anonymous: true).code == .success)
        let open = SimulatedBroker(shards: 1, authorizer: SiteAuthorizer())
        #expect(try connect(open, user: "any", password: "thing", anonymous: true).code == .success)
    }

    @Test("What is asked for is told: passwords, SCRAM, or both")
    func words() throws {
        func text(_ authorizer: SiteAuthorizer) -> String {
            let info = ConnectionInfo(peer: "p", listener: "simulated", allowsAnonymous: false)
            guard case .refused(.notAuthorized, let text) = authorizer.authenticate(Connect(clientID: "c"), on: info) else { return "" }
            return text
        }
        let both = text(SiteAuthorizer(credentials: try scram(), passwords: try passwords(Self.ann)))
        #expect(both == "the listener takes clients that give a user name and a password, or authenticate by SCRAM-SHA-256, with MQTT 5")
        #expect(
            text(SiteAuthorizer(passwords: try passwords(Self.ann))) == "the listener takes clients that give a user name and a password")
        #expect(text(SiteAuthorizer()).contains("anonymous: true"))
    }

    @Test("Threat 41: a file without users, and a listener of another name, let nobody in")
    func noUsers() throws {
        let empty = SimulatedBroker(shards: 1, authorizer: SiteAuthorizer(passwords: try passwords("# nobody")))
        #expect(try connect(empty, user: "ann", password: "", anonymous: true).code == .badUserNameOrPassword)
        let other = SiteAuthorizer(passwords: ["other": try #require(try passwords(Self.ann)["simulated"])])
        #expect(try connect(SimulatedBroker(shards: 1, authorizer: other), user: "ann", password: "espresso").code == .notAuthorized)
    }

    // MARK: What is remembered

    @Test("Threat 58: a right password that nobody waited to hear of is not remembered: how fast the next answer comes tells nothing")
    func abandoned() throws {
        let authorizer = SiteAuthorizer(passwords: try passwords(Self.ann))
        let connection = ConnectionInfo(peer: "p", listener: "simulated", allowsAnonymous: false)
        let connect = Connect(clientID: "c", userName: "ann", password: ByteBuffer(string: "espresso"))
        for _ in 0..<2 {
            guard case .toBeChecked(let check) = authorizer.authenticate(connect, on: connection) else {
                return #expect(Bool(false), "it was remembered")
            }
            guard case .proved = check.run() else { return #expect(Bool(false), "it is right") }
        }
    }

    @Test("A password that was right is not hashed again, for a while and for this file; a wrong one always is")
    func remembered() throws {
        let authorizer = SiteAuthorizer(passwords: try passwords(Self.ann, Self.bob))
        let broker = SimulatedBroker(shards: 1, authorizer: authorizer)
        func isChecked(_ user: String, _ password: String) throws -> Bool { try connect(broker, user: user, password: password).isChecked }
        #expect(try isChecked("ann", "espresso"))
        #expect(try !isChecked("ann", "espresso"))
        for _ in 0..<2 { #expect(try isChecked("ann", "latte")) }
        #expect(try isChecked("bob", "espresso"))
        #expect(try isChecked("bob", "mocha"))
        let again = try connect(broker, user: "ann", password: "espresso")
        #expect(again.code == .success && again.principal == "ann" && !again.isChecked)
        authorizer.replace(credentials: [:], passwords: try passwords(Self.ann, Self.bob), policies: PolicyBook())
        #expect(try isChecked("ann", "espresso"))
    }

    @Test("Of what is remembered there is no more than the limits say, and not for longer")
    func rememberedLimits() throws {
        var limits = CredentialLimits()
        limits.passwordsRememberedMax = 4
        limits.passwordsRememberedSecondsMax = 60
        let remembered = RememberedPasswords(limits: limits)
        let entry = try #require(try passwords(Self.ann)["simulated"]?.entry(of: Array("ann".utf8)))
        let now = Instant(nanoseconds: 0)
        for number in 0..<100 {
            remembered.remember([UInt8(number)], of: entry, now: now)
            #expect(remembered.knows([UInt8(number)], of: entry, now: now.advanced(bySeconds: 59.9)))
            #expect(!remembered.knows([UInt8(number)], of: entry, now: now.advanced(bySeconds: 60)))
        }
        #expect((0..<100).filter { remembered.knows([UInt8($0)], of: entry, now: now) }.count <= 4)
    }

    // MARK: Reloads

    @Test("Users who are gone, or have another password, are closed; also one who has the same by the other file")
    func takenBack() throws {
        let authorizer = SiteAuthorizer(credentials: try scram(), passwords: try passwords(Self.ann, Self.bob))
        func isClosed(_ user: String, _ password: String, after change: () throws -> Void) throws -> Bool {
            let broker = SimulatedBroker(shards: 1, authorizer: authorizer)
            let client = SimulatedClient("c", of: broker)
            client.open(allowsAnonymous: false)
            client.send(
                .connect(Connect(clientID: "c", keepAlive: 60, version: .v5, userName: user, password: ByteBuffer(string: password))))
            broker.settle()
            #expect(client.isConnected)
            try change()
            broker.nodes[0].core.rightsChanged(now: broker.now)
            broker.settle()
            return !client.isConnected
        }
        let other = Self.bob.replacing("bob:", with: "ann:")
        #expect(
            try isClosed("ann", "espresso") {
                authorizer.replace(credentials: [:], passwords: try passwords(Self.bob), policies: PolicyBook())
            })
        #expect(try isClosed("bob", "mocha") { authorizer.replace(credentials: [:], passwords: [:], policies: PolicyBook()) })
        authorizer.replace(credentials: [:], passwords: try passwords(Self.ann, Self.bob), policies: PolicyBook())
        #expect(
            try isClosed("ann", "espresso") {
                authorizer.replace(credentials: try scram(), passwords: try passwords(other, Self.bob), policies: PolicyBook())
            })
        authorizer.replace(credentials: [:], passwords: try passwords(Self.ann, Self.bob), policies: PolicyBook())
        #expect(
            try !isClosed("ann", "espresso") {
                authorizer.replace(credentials: [:], passwords: try passwords(Self.bob, Self.ann), policies: PolicyBook())
            })
    }
}
