import FuzzDriver
import Trust

/// What holds for every request, whoever says that it is signed.
struct RequestProperties {
    /// 20:29:18 UTC on 26 November 2026.
    private static let now: Int64 = 1_795_724_958
    private static let signer = RequestSigner(time: "20261126T202918Z")
    private static let verifier = SignatureVerifier(keys: keys([signer.keyID]), clock: { now })

    private let kind: UInt8
    private let parts: [[UInt8]]

    /// An input is a byte that chooses what is done, and texts with a byte between them that no text can hold.
    init(input: [UInt8]) {
        kind = input.first ?? 0
        parts = input.dropFirst().split(separator: 0xFF, omittingEmptySubsequences: false).map { Array($0) }
    }

    func check() {
        if kind == UInt8(ascii: "s") { checkSigned() } else { checkGuess() }
    }

    private static func keys(_ ids: [String]) -> AccessKeys {
        let list = ids.compactMap { try? AccessKey(id: $0, secret: signer.secret, principal: "barista") }
        guard let keys = try? AccessKeys(list), keys.count == ids.count else { refuse("the keys of the harness are refused") }
        return keys
    }

    private func part(_ place: Int) -> [UInt8] { place < parts.count ? parts[place] : [] }

    private func verify(_ request: SignedRequest, _ body: [UInt8], service: String? = nil) throws(SignatureFailure) -> String {
        try Self.verifier.finish(Self.verifier.begin(request, for: service), body: body).principal
    }

    // MARK: Somebody who knows no secret

    /// Method, target, body, and header fields with a colon behind their names.
    private func checkGuess() {
        let headers = parts.dropFirst(3).map { field in
            let name = field.prefix { $0 != UInt8(ascii: ":") }
            return (name: text(Array(name)), value: text(Array(field.dropFirst(name.count + 1))))
        }
        let request = SignedRequest(method: text(part(0)), target: text(part(1)), headers: headers)
        do throws(SignatureFailure) {
            _ = try verify(request, part(2))
            refuse("a request is taken that nobody has signed")
        } catch {
            checkWords(error.description)
            // Who is refused for a signature must not be taken for somebody who shows none, and the other way round.
            require((error == .missing) != request.isSigned, "it is not clear whether this is signed: \(error)")
        }
        require(Self.verifier.derivedCount <= 64, "more derived keys than there are scopes for")
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func checkWords(_ words: String) {
        require(!words.isEmpty, "a refusal without words")
        require(!words.unicodeScalars.contains { $0.properties.generalCategory == .control }, "control characters in a refusal")
    }

    // MARK: The holder of the key

    /// Path, body, a header's value, and names and values of the query.
    private func checkSigned() {
        let query = stride(from: 3, to: parts.count, by: 2).map { (name: part($0), value: part($0 + 1)) }
        let value = text(part(2).filter { (0x21...0x7E).contains($0) })
        let request = Self.signer.signed(path: part(0), query: query, body: part(1), shop: value)
        do throws(SignatureFailure) {
            require(try verify(request, part(1), service: "events") == "barista", "signed by somebody else")
            checkChanges(of: request)
        } catch {
            guard case .incomplete = error else { refuse("the right signature is refused: \(error)") }
            require(
                !RequestSigner.isPlain(part(0)) || query.contains { $0.name.starts(with: Array("X-Amz-".utf8)) },
                "the right signature is refused: \(error)")
        }
    }

    private func checkChanges(of request: SignedRequest) {
        var other = request
        other.method = "PUT"
        requireRefusal(of: other, part(1), "another method")
        requireRefusal(of: request, part(1) + [0], "another body")
        requireRefusal(of: request, part(1), service: "sqs", "another service")
        other = request
        other.target += request.target.contains("?") ? "&x" : "?x"
        requireRefusal(of: other, part(1), "a longer query")
        other = request
        other.target = "/x" + request.target
        requireRefusal(of: other, part(1), "a longer path")
        for place in request.headers.indices {
            other = request
            other.headers[place].value += "0"
            requireRefusal(of: other, part(1), "another \(request.headers[place].name)")
            other = request
            other.headers.append(request.headers[place])
            requireRefusal(of: other, part(1), "\(request.headers[place].name) twice")
        }
        let later = SignatureVerifier(keys: Self.keys([Self.signer.keyID]), clock: { Self.now + 301 })
        require((try? later.begin(request, for: nil)) == nil, "an old signature is taken")
    }

    private func requireRefusal(of request: SignedRequest, _ body: [UInt8], service: String? = nil, _ what: String) {
        require((try? verify(request, body, service: service)) == nil, "\(what) is taken for what was signed")
    }
}
