import Documents
import Trust

extension LoadedConfiguration {
    /// Reads the listeners' files of users.
    static func scramUsers(of configuration: Configuration) throws(DocumentError) -> [String: ScramCredentials] {
        var problems = ProblemCollector()
        var users: [String: ScramCredentials] = [:]
        for listener in configuration.listeners {
            guard let path = listener.scramUsers else { continue }
            do throws(TrustError) {
                users[listener.name] = try ScramCredentials(file: path)
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
    var name: String { "\(`protocol`.rawValue) \(address)" }
}
