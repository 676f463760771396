import Documents
import Trust

extension LoadedConfiguration {
    /// Reads the listeners' files of users who authenticate by SCRAM.
    static func scramUsers(of configuration: Configuration) throws(DocumentError) -> [String: ScramCredentials] {
        try read(\.scramUsers, of: configuration) { (path) throws(TrustError) in try ScramCredentials(file: path) }
    }

    /// Reads the listeners' password files.
    static func passwords(of configuration: Configuration) throws(DocumentError) -> [String: PasswordFile] {
        try read(\.passwords, of: configuration) { (path) throws(TrustError) in try PasswordFile(file: path) }
    }

    private static func read<Users>(
        _ key: KeyPath<ListenerConfiguration, String?>, of configuration: Configuration, by read: (String) throws(TrustError) -> Users
    ) throws(DocumentError) -> [String: Users] {
        var problems = ProblemCollector()
        var users: [String: Users] = [:]
        for listener in configuration.listeners {
            guard let path = listener[keyPath: key] else { continue }
            do throws(TrustError) {
                users[listener.name] = try read(path)
            } catch {
                problems.add(error.description, at: listener.location)
            }
        }
        try problems.finish()
        return users
    }
}

extension ListenerConfiguration {
    /// What the log and the list of clients call it.
    var name: String { "\(`protocol`.rawValue) \(address)\(ordinal > 1 ? " (\(ordinal))" : "")" }
}
