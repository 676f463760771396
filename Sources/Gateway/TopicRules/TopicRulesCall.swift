import Hummingbird

/// A call of AWS IoT's API for topic rules: its operation by method and path.
enum TopicRulesCall: Equatable {
    case create(String)
    case replace(String)
    case get(String)
    case delete(String)
    case list
    case setEnabled(String, Bool)
    case tag
    case untag
    case listTags
    /// Where devices connect to; asked of the same API.
    case describeEndpoint

    /// Nil for a path or a method of no operation.
    init?(_ method: HTTPRequest.Method, path: some StringProtocol) {
        var levels: [String] = []
        for level in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let level = PercentEncoding.decode(level, plusIsSpace: false) else { return nil }
            levels.append(level)
        }
        switch (method, levels.first, levels.count) {
        case (.get, "rules", 1): self = .list
        case (.post, "rules", 2): self = .create(levels[1])
        case (.patch, "rules", 2): self = .replace(levels[1])
        case (.get, "rules", 2): self = .get(levels[1])
        case (.delete, "rules", 2): self = .delete(levels[1])
        case (.post, "rules", 3) where levels[2] == "enable": self = .setEnabled(levels[1], true)
        case (.post, "rules", 3) where levels[2] == "disable": self = .setEnabled(levels[1], false)
        case (.post, "tags", 1): self = .tag
        case (.post, "untag", 1): self = .untag
        case (.get, "tags", 1): self = .listTags
        case (.get, "endpoint", 1): self = .describeEndpoint
        default: return nil
        }
    }

    /// What policies call it.
    var action: String {
        switch self {
        case .create: "iot:CreateTopicRule"
        case .replace: "iot:ReplaceTopicRule"
        case .get: "iot:GetTopicRule"
        case .delete: "iot:DeleteTopicRule"
        case .list: "iot:ListTopicRules"
        case .setEnabled(_, let enabled): enabled ? "iot:EnableTopicRule" : "iot:DisableTopicRule"
        case .tag: "iot:TagResource"
        case .untag: "iot:UntagResource"
        case .listTags: "iot:ListTagsForResource"
        case .describeEndpoint: "iot:DescribeEndpoint"
        }
    }

    /// Whether a request names AWS IoT in its signature, as those of AWS SDKs do: then it is for this API, and no other is.
    ///
    /// A page in a browser says where it comes from, and is never answered: what an API allows pages to send to its routes is not meant for
    /// rules.
    static func isSigned(_ request: Request) -> Bool {
        guard !request.isFromPage else { return false }
        // `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`
        return request.headers[.authorization]?.contains("/iot/aws4_request") ?? false
    }
}
