import BrokerServer
import Documents
import Trust

extension LoadedConfiguration {
    /// Reads the listeners' files of users who authenticate by SCRAM.
    static func scramUsers(of configuration: Configuration) throws(DocumentError) -> [String: ScramCredentials] {
        try read(\.scramUsers, option: "--file", of: configuration) { (path) throws(TrustError) in try ScramCredentials(file: path) }
    }

    /// Reads the listeners' password files.
    static func passwords(of configuration: Configuration) throws(DocumentError) -> [String: PasswordFile] {
        try read(\.passwords, option: "--passwords", of: configuration) { (path) throws(TrustError) in try PasswordFile(file: path) }
    }

    /// Reads the keys of the listeners' custom authorizers.
    static func authorizers(of configuration: Configuration) throws(DocumentError) -> [String: [CustomAuthorizer]] {
        var problems = ProblemCollector()
        var authorizers: [String: [CustomAuthorizer]] = [:]
        for listener in configuration.listeners {
            for entry in listener.authorizers {
                do throws(TrustError) {
                    let keys = try entry.signingKeys.map { (path) throws(TrustError) in try VerificationKey.rsaKeys(file: path) } ?? []
                    authorizers[listener.name, default: []].append(
                        CustomAuthorizer(name: entry.name, tokenKey: entry.tokenKey, signingKeys: keys))
                } catch {
                    problems.add("the authorizer `\(entry.name)`: \(error)", at: entry.location)
                }
            }
        }
        try problems.finish()
        return authorizers
    }

    private static func read<Users>(
        _ key: KeyPath<ListenerConfiguration, String?>, option: String, of configuration: Configuration,
        by read: (String) throws(TrustError) -> Users
    ) throws(DocumentError) -> [String: Users] {
        var problems = ProblemCollector()
        var users: [String: Users] = [:]
        for listener in configuration.listeners {
            guard let path = listener[keyPath: key] else { continue }
            do throws(TrustError) {
                users[listener.name] = try read(path)
            } catch {
                problems.add(error.description + advice(error, on: listener, option), at: listener.location)
            }
        }
        try problems.finish()
        return users
    }

    /// What makes a file that is missing; empty for any other mistake.
    private static func advice(_ error: TrustError, on listener: ListenerConfiguration, _ option: String) -> String {
        guard case .fileMissing(let path) = error else { return "" }
        let users = "; `crema users add NAME \(option) \(path)` makes one"
        guard listener.pages != nil, option == "--passwords" else { return users }
        // As `make serve` does before it serves.
        return users + ", and `crema demo --links --config \(listener.location.file)` one with the users of the shop's screens"
    }
}

extension ListenerConfiguration {
    /// What the log and the list of clients call it.
    var name: String { "\(`protocol`.rawValue) \(address)\(ordinal > 1 ? " (\(ordinal))" : "")" }
}
