import FuzzDriver
import Trust

/// What holds for every exchange, whatever the client sends with CONNECT and in its AUTH packets.
struct ExchangeProperties {
    /// Where one message ends: a byte that no message can hold, for all are UTF-8.
    private static let end: UInt8 = 0xFF
    private static let serverNonce = "3rfcNHYJY1ZVvWVs7j"
    private static let user = KnownUser(name: "user")
    private static let users = credentials()

    private let kind: UInt8
    private let messages: [[UInt8]]

    /// An input is a byte that chooses what is done, and messages with ``end`` between them.
    init(input: [UInt8]) {
        kind = input.first ?? 0
        messages = input.dropFirst().split(separator: Self.end, omittingEmptySubsequences: false).map { Array($0) }
    }

    func check() {
        switch kind {
        case UInt8(ascii: "p"): checkProof()
        case UInt8(ascii: "f"): checkFile()
        default: checkGuesses()
        }
    }

    private static func credentials() -> ScramCredentials {
        let other = KnownUser(name: "a,b=c:d")
        let text = "# users\n\(user.line)\n\n\(other.line)\n"
        guard let credentials = try? ScramCredentials(text: Array(text.utf8)) else { refuse("the users of the harness are refused") }
        return credentials
    }

    private func server() -> ScramServer { ScramServer(credentials: Self.users, serverNonce: Self.serverNonce) }

    // MARK: Somebody who knows no password

    private func checkGuesses() {
        var server = server()
        var again = self.server()
        var isOver = false
        var challenges = 0
        for message in messages.prefix(8) {
            let answer = server.received(message)
            require(again.received(message) == answer, "two answers to the same message")
            switch answer {
            case .accepted(let name, _): refuse("\(name) is let in without the password")
            case .challenge(let challenge):
                challenges += 1
                require(!isOver && challenges == 1, "a challenge where none belongs")
                checkChallenge(challenge, of: message)
            case .refused(let failure):
                if isOver { require(failure == .exchangeEnded, "something else than the end after the end") }
                isOver = true
                checkWords(of: failure)
            }
        }
    }

    private func checkChallenge(_ challenge: [UInt8], of first: [UInt8]) {
        let parts = challenge.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        require(parts.count == 3, "a challenge of \(parts.count) parts")
        let names: [[UInt8]] = ["r=", "s=", "i="].map { Array($0.utf8) }
        for (part, name) in zip(parts, names) { require(part.starts(with: name) && part.count > 2, "a challenge without its parts") }
        let nonce = parts[0].dropFirst(2)
        let serverNonce = Array(Self.serverNonce.utf8)
        require(nonce.suffix(serverNonce.count).elementsEqual(serverNonce), "a challenge without the server's nonce")
        let clientNonce = nonce.dropLast(serverNonce.count)
        require((1...ScramLimits.clientNonceBytesMax).contains(clientNonce.count), "a nonce of \(clientNonce.count) bytes")
        require(nonce.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ",") }, "a nonce that is not printable")
        let iterations = Int(String(decoding: parts[2].dropFirst(2), as: UTF8.self)) ?? 0
        require((ScramLimits.iterationsMin...ScramLimits.iterationsMax).contains(iterations), "\(iterations) iterations")
        require(first.count <= ScramLimits.messageBytesMax, "a message beyond its limit is answered")
    }

    /// What a log says is one line, whatever the client sent.
    private func checkWords(of failure: ScramFailure) {
        let words = failure.description
        require(!words.isEmpty && words.utf8.count < 8 * ScramLimits.messageBytesMax, "a refusal without words, or with too many")
        require(!words.unicodeScalars.contains { $0.properties.generalCategory == .control }, "control characters in a refusal")
        require(failure.serverFinal.starts(with: Array("e=".utf8)), "a refusal that is no server-final message")
    }

    // MARK: The user, who sends more than is needed

    /// The first message is the fuzzer's after its name; the second stands before the proof, which goes for it.
    private func checkProof() {
        let header = Array("n,,".utf8)
        let first = header + Array("n=\(Self.user.name),r=abc".utf8) + (messages.first ?? [])
        var server = server()
        guard case .challenge(let challenge) = server.received(first) else { return }
        let more = messages.count > 1 ? messages[1] : []
        let final = Self.user.final(first: first, serverFirst: challenge, header: header, more: more)
        var broken = server
        let answer = server.received(final)
        switch answer {
        case .accepted(let name, let last):
            require(name == Self.user.name, "\(name) is let in for \(Self.user.name)")
            require(last.starts(with: Array("v=".utf8)), "an end without the server's proof")
        case .refused(let failure):
            require(!more.isEmpty, "the right password is refused: \(failure)")
            require(failure != .proofRejected, "the right proof is rejected")
            checkWords(of: failure)
        case .challenge: refuse("a second challenge")
        }
        require(server.received(final) == .refused(.exchangeEnded), "a proof that is taken twice")
        // A proof goes for what it was made of and for nothing else: one byte more anywhere, and it is none.
        guard messages.count > 2, let byte = messages[2].first else { return }
        var changed = final
        changed.insert(byte, at: Int(messages[2].last ?? 0) % (final.count + 1))
        if changed == final { return }
        if case .accepted = broken.received(changed) { refuse("a message that was changed is accepted") }
    }

    // MARK: The file of users

    private func checkFile() {
        let text = messages.first ?? []
        do throws(TrustError) {
            let users = try ScramCredentials(text: text)
            require(users.count <= text.split(separator: UInt8(ascii: "\n")).count, "more users than lines")
        } catch {
            require(!error.description.isEmpty, "an error without words")
            let hasControl = error.description.unicodeScalars.contains { $0.properties.generalCategory == .control }
            require(!hasControl, "control characters in an error")
        }
    }
}
