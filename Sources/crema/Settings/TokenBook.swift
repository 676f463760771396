import Documents
import EventBus
import Tokens
import Trust

/// The entries of `tokens` with their files read.
struct TokenBook: Sendable {
    private enum Source {
        case read(KeySet)
        case url(String)
    }

    private struct Entry {
        var settings: TokenSettings
        var source: Source
        var location: SourceLocation
    }

    private let entries: [Entry]
    /// Names of the entries that each listener takes, by the listener's name.
    private let taken: [String: [String]]
    private let limits: TokenLimits

    /// Reads the files of keys and secrets.
    ///
    /// - Throws: every mistake, at the place in the configuration that names the file.
    init(_ configuration: Configuration) throws(DocumentError) {
        var problems = ProblemCollector()
        var entries: [Entry] = []
        for issuer in configuration.tokens {
            let entry = problems.collect { () throws(DocumentError) in try Self.entry(issuer) }
            if let entry { entries.append(entry) }
        }
        try problems.finish()
        self.entries = entries
        taken = Dictionary(
            configuration.listeners.filter { !$0.tokens.isEmpty }.map { ($0.name, $0.tokens.map(\.text)) },
            uniquingKeysWith: { first, _ in first })
        limits = KnownLimits.tokens(configuration.limits)
    }

    private static func entry(_ issuer: Configuration.TokenIssuer) throws(DocumentError) -> Entry {
        let algorithms = try algorithms(of: issuer)
        let settings = TokenSettings(
            name: issuer.name, issuer: issuer.issuer, audiences: issuer.audiences, algorithms: algorithms,
            principalClaim: issuer.principal)
        return Entry(settings: settings, source: try source(of: issuer, algorithms), location: issuer.location)
    }

    private static func algorithms(of issuer: Configuration.TokenIssuer) throws(DocumentError) -> Set<SignatureAlgorithm> {
        let algorithms = try issuer.algorithms.readEach { (written) throws(DocumentError) in
            guard let algorithm = SignatureAlgorithm(rawValue: written.name) else {
                let known = SignatureAlgorithm.allCases.map(\.rawValue)
                throw DocumentError(
                    "there is no algorithm `\(written.name)`\(suggestion(for: written.name, among: known))", at: written.location)
            }
            // Who may read a public key must not be able to sign with it.
            if case .secretFile = issuer.keys {
                guard algorithm.isSymmetric else {
                    throw DocumentError("\(algorithm.rawValue) needs `keys`: a `secretFile` is for HS256", at: written.location)
                }
            } else if algorithm.isSymmetric {
                throw DocumentError("\(algorithm.rawValue) needs a `secretFile`, and `keys` has public keys", at: written.location)
            }
            return algorithm
        }
        return Set(algorithms)
    }

    private static func source(
        of issuer: Configuration.TokenIssuer, _ algorithms: Set<SignatureAlgorithm>
    ) throws(DocumentError) -> Source {
        let location = issuer.keysLocation
        do {
            switch issuer.keys {
            case .file(let path):
                let set = try KeySet(file: path)
                if let algorithm = algorithms.sorted(by: { $0.rawValue < $1.rawValue }).first(where: { !set.hasKey(for: $0) }) {
                    throw DocumentError("\(path): no key of the set is for \(algorithm.rawValue), there are \(set.summary)", at: location)
                }
                return .read(set)
            case .secretFile(let path): return .read(try KeySet(secretFile: path))
            case .url(let url):
                do throws(HTTPEndpointError) { _ = try HTTPEndpoint.parse(url) } catch {
                    throw DocumentError("keys: \(error)", at: location)
                }
                return .url(url)
            }
        } catch let error as DocumentError {
            throw error
        } catch {
            throw DocumentError("\(error)", at: location)
        }
    }

    // MARK: In force

    /// The URLs whose keys are to be fetched.
    var urls: Set<String> {
        Set(entries.compactMap { entry in if case .url(let url) = entry.source { url } else { nil } })
    }

    /// What verifies the tokens of each entry.
    private func verifiers(with fetched: FetchedKeySets) -> [String: TokenVerifier] {
        var verifiers: [String: TokenVerifier] = [:]
        for entry in entries {
            let keys: TokenVerifier.Keys =
                switch entry.source {
                case .read(let set): .fixed(set)
                case .url(let url): .fetched(fetched.set(of: url))
                }
            verifiers[entry.settings.name] = TokenVerifier(entry.settings, keys: keys, limits: limits)
        }
        return verifiers
    }

    /// Puts the entries in force.
    ///
    /// The sets that were fetched before stay; those of URLs that are not named any more are given up.
    func begin(with fetched: FetchedKeySets) -> TokensInForce {
        fetched.keep(urls: urls)
        let verifiers = verifiers(with: fetched)
        return TokensInForce(
            all: verifiers.sorted { $0.key < $1.key }.map(\.value),
            byListener: taken.mapValues { names in names.compactMap { verifiers[$0] } })
    }

    /// What can be served and is most likely not meant.
    var warnings: [(location: SourceLocation, text: String)] {
        entries.flatMap { entry -> [(location: SourceLocation, text: String)] in
            var warnings: [(location: SourceLocation, text: String)] = []
            if entry.settings.audiences.isEmpty {
                let text = "takes tokens that the issuer made for others: name this site's `audience`"
                warnings.append((entry.location, "tokens: \(entry.settings.name) \(text)"))
            }
            if entry.settings.issuer == nil {
                warnings.append((entry.location, "tokens: \(entry.settings.name) has no `issuer`, so `iss` is not compared"))
            }
            return warnings
        }
    }

    /// Issuers that are declared, for the authorizers of APIs.
    var issuers: [String] { entries.compactMap(\.settings.issuer) }
}

/// What verifies tokens while the configuration is in force.
struct TokensInForce: Sendable {
    /// Every entry's, by name.
    let all: [TokenVerifier]
    /// Those that a listener takes, by the listener's name.
    let byListener: [String: [TokenVerifier]]
}
