import Documents
import Trust

extension LoadedConfiguration {
    /// Reads the access keys, with the files that hold secrets.
    static func accessKeys(of configuration: Configuration) throws(DocumentError) -> AccessKeys {
        var problems = ProblemCollector()
        var keys: [AccessKey] = []
        for entry in configuration.accessKeys ?? [] {
            let key = problems.collect { () throws(DocumentError) in try accessKey(entry) }
            guard let key else { continue }
            if keys.contains(where: { $0.id == key.id }) { problems.add("the access key \(key.id) is there twice", at: entry.location) }
            keys.append(key)
        }
        try problems.finish()
        do throws(UnusableAccessKey) { return try AccessKeys(keys) } catch {
            throw DocumentError("the access keys cannot be used: \(error.reason)", at: SourceLocation(file: "accessKeys"))
        }
    }

    private static func accessKey(_ entry: Configuration.AccessKeyEntry) throws(DocumentError) -> AccessKey {
        let secret: String
        switch entry.secret {
        case .text(let text): secret = text
        case .file(let path):
            do throws(TrustError) { secret = try AccessKey.secret(file: path) } catch {
                throw DocumentError(error.description, at: entry.location)
            }
        }
        do throws(UnusableAccessKey) {
            return try AccessKey(id: entry.id, secret: secret, sessionToken: entry.sessionToken, principal: entry.principal)
        } catch {
            throw DocumentError("an access key cannot be used: \(error.reason)", at: entry.location)
        }
    }
}
