import BrokerCore
import Documents

/// Who calls, and the door where it is asked what they may do.
struct Caller: Sendable {
    let publisher: Publisher
    let authorizer: any Authorizer

    /// Whether nobody is refused anything, so that nobody need ask.
    var mayEverything: Bool { authorizer.isUnrestricted }

    /// Whether a policy or a line of the ACL file says no, so that the caller is not told either that it is there.
    func isDenied(_ action: String, on arn: String) -> Bool { authorizer.denies(call: action, on: arn, to: publisher) }

    /// - Parameters:
    ///   - action: as policies name it, `events:PutEvents`.
    ///   - arn: of what the caller asks it for.
    /// - Throws: in AWS's words; the log has the statement that decided.
    func require(_ action: String, on arn: String) throws(ServiceError) {
        guard let reason = authorizer.refusal(ofCall: action, on: arn, by: publisher) else { return }
        let name = publisher.principal.map { "arn:aws:iam::\(TemplateScope.accountID):user/\($0)" } ?? "anonymous"
        throw ServiceError(
            .accessDenied, "User: \(name) is not authorized to perform: \(action) on resource: \(arn)",
            logged: "\(publisher.principal ?? "anonymous"): \(reason)")
    }
}

/// ARNs of what calls are about.
///
/// Crema stands in for every account and region; policies' own are not looked at.
enum CallResource {
    static func arn(_ service: String, _ resource: String) -> String {
        "arn:aws:\(service):\(TemplateScope.region):\(TemplateScope.accountID):\(resource)"
    }

    /// Of a route: the API's name and stage as templates see them, the method, and the path.
    ///
    /// The path is encoded anew, so that a deny is for every spelling of it.
    static func route(isREST: Bool, method: String, path: some StringProtocol) -> String {
        let levels = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { level in
            PercentEncoding.encode(PercentEncoding.decode(level, plusIsSpace: false) ?? String(level))
        }
        return arn("execute-api", "\(RouteRequest.apiID)/\(RouteRequest.stage(isREST: isREST))/\(method)/\(levels.joined(separator: "/"))")
    }
}
