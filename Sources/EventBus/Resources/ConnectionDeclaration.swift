import Documents

/// A connection as a template or a call declares it.
///
/// It holds secrets, as they were given and as headers: none of them is in a description of it, nor in ``told``.
struct ConnectionDeclaration: Sendable, CustomReflectable {
    let name: String
    /// What ends its ARN; nil for one of a template.
    ///
    /// Another connection of the same name has another.
    let id: String?
    var description: String?
    /// `API_KEY` or `BASIC`.
    var authorizationType: String
    /// `AuthParameters` as given, so that an update need not say all of them; nil after they were taken away.
    let parameters: Node?
    /// What calls have of it; nil for a connection that is deauthorized.
    let connection: APIConnection?
    /// The JSON of `AuthParameters` without what is secret; nil after they were taken away.
    let told: [UInt8]?
    let location: SourceLocation
    /// Nil for one of a template.
    var times: ResourceTimes?
    /// When it got the parameters that it has, or had last, in milliseconds since 1970; nil for one of a template.
    var authorizedMilliseconds: Int64?

    var customMirror: Mirror { Mirror(self, children: []) }

    var arn: String { CallARN.text("connection", name, id) }

    /// The same without any secret.
    var deauthorized: ConnectionDeclaration {
        ConnectionDeclaration(
            name: name, id: id, description: description, authorizationType: authorizationType, parameters: nil, connection: nil,
            told: nil, location: location, times: times, authorizedMilliseconds: authorizedMilliseconds)
    }
}

/// When something came by API and when it was changed last, in milliseconds since 1970.
package struct ResourceTimes: Sendable, Equatable {
    package let created: Int64
    package var modified: Int64

    init(now: Int64) { (created, modified) = (now, now) }

    /// Of what templates declare: when they were read.
    init(loaded: Int64) { self.init(now: loaded) }

    func modified(at now: Int64) -> ResourceTimes {
        var times = self
        times.modified = now
        return times
    }
}

/// The ARNs of connections and API destinations: `arn:aws:events:REGION:ACCOUNT:KIND/NAME/ID`.
package struct CallARN: Sendable, Equatable {
    package let name: String
    /// Nil where the ARN lacks it, as one that somebody wrote.
    let id: String?

    /// - Returns: nil for another ARN.
    package init?(_ arn: String, kind: String) {
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[1].hasPrefix("aws"), parts[2] == "events" else { return nil }
        let path = parts[5].split(separator: "/", omittingEmptySubsequences: false)
        guard (2...3).contains(path.count), path[0] == kind, !path[1].isEmpty else { return nil }
        name = String(path[1])
        id = path.count == 3 ? String(path[2]) : nil
    }

    /// Whether name and identifier are such as the service has.
    package var isWhole: Bool {
        name.utf8.allSatisfy(isNameByte) && id.map { !$0.isEmpty && $0.utf8.allSatisfy(isNameByte) } ?? false
    }

    static func text(_ kind: String, _ name: String, _ id: String?) -> String {
        "arn:aws:events:\(TemplateScope.region):\(TemplateScope.accountID):\(kind)/\(name)/\(id ?? TemplateScope.resourceID)"
    }

    /// Whether it names what has this identifier; what a template declares is found by its name alone.
    func names(id: String?) -> Bool { id == nil || self.id == id }
}
