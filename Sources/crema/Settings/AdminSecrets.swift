import Documents
import Trust

extension LoadedConfiguration {
    /// Reads the secrets that administrators show, by the listener's name.
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
