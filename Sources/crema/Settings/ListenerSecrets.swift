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

    /// Reads the secrets that administrators show.
    static func adminSecrets(of configuration: Configuration) throws(DocumentError) -> [String: SharedSecret] {
        var problems = ProblemCollector()
        var secrets: [String: SharedSecret] = [:]
        for listener in configuration.listeners {
            guard let path = listener.adminToken else { continue }
            do throws(TrustError) {
                secrets[listener.name] = try SharedSecret(file: path)
            } catch {
                problems.add(error.description, at: listener.location)
            }
        }
        try problems.finish()
        return secrets
    }
}

extension ListenerConfiguration {
    /// What the log and the list of clients call it.
    var name: String { "\(`protocol`.rawValue) \(address)" }
}
