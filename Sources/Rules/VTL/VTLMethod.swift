/// The methods that a template may call, by their names in Java.
///
/// Each has the receivers that Java gives it; on another value it gives null, as Velocity does.
enum VTLMethod: String, Sendable, CaseIterable {
    case add, addAll, charAt, clear, concat, contains, containsKey, containsValue, endsWith, entrySet, equals, equalsIgnoreCase, get
    case getKey, getValue, indexOf, isEmpty, keySet, lastIndexOf, length, matches, put, putAll, remove, replace, replaceAll, replaceFirst
    case set, size, split, startsWith, substring, toLowerCase, toString, toUpperCase, trim, values

    /// How many arguments it takes.
    var arity: ClosedRange<Int> {
        switch self {
        case .clear, .entrySet, .getKey, .getValue, .isEmpty, .keySet, .length, .size, .toLowerCase, .toString, .toUpperCase, .trim,
            .values:
            0...0
        case .add, .addAll, .charAt, .concat, .contains, .containsKey, .containsValue, .endsWith, .equals, .equalsIgnoreCase, .get,
            .indexOf, .lastIndexOf, .matches, .putAll, .remove, .split, .startsWith:
            1...1
        case .put, .replace, .replaceAll, .replaceFirst, .set: 2...2
        case .substring: 1...2
        }
    }

    /// Whether it changes a list or a map.
    var changes: Bool {
        switch self {
        case .add, .addAll, .clear, .put, .putAll, .remove, .set: true
        default: false
        }
    }

    /// Whether a text takes only texts as its arguments.
    var takesTexts: Bool {
        switch self {
        case .concat, .contains, .endsWith, .equalsIgnoreCase, .indexOf, .lastIndexOf, .matches, .replace, .replaceAll, .replaceFirst,
            .split,
            .startsWith:
            true
        default: false
        }
    }

    /// Whether the first argument is a regular expression.
    var takesExpression: Bool {
        switch self {
        case .matches, .replaceAll, .replaceFirst, .split: true
        default: false
        }
    }
}

/// The functions of `$util`.
enum VTLUtility: String, Sendable, CaseIterable {
    case escapeJavaScript, parseJson, urlEncode, urlDecode, base64Encode, base64Decode
}

/// What `$context` has in the service.
///
/// What Crema has no value for gives nothing, as in the service where there is none: nobody is authorized, and nothing is logged by stage.
enum VTLContext {
    static let names: Set<String> = [
        "accountId", "apiId", "authorizer", "awsEndpointRequestId", "deploymentId", "domainName", "domainPrefix", "error",
        "extendedRequestId", "httpMethod", "identity", "isCanaryRequest", "path", "protocol", "requestId", "requestOverride",
        "requestTime", "requestTimeEpoch", "resourceId", "resourcePath", "responseOverride", "stage", "status", "wafResponseCode",
        "webaclArn",
    ]
    /// What only a `#set` of a member would make use of.
    static let overrides: Set<String> = ["requestOverride", "responseOverride"]

    static let identity: Set<String> = [
        "accountId", "accessKey", "apiKey", "apiKeyId", "caller", "clientCert", "cognitoAuthenticationProvider",
        "cognitoAuthenticationType", "cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "sourceIp", "user", "userAgent",
        "userArn", "vpcId", "vpceId",
    ]
}
