import Hummingbird

/// A call of AWS IoT's data plane: its operation by method and path.
enum DataPlaneCall: Equatable {
    case publish(topic: String)
    case getRetainedMessage(topic: String)
    case listRetainedMessages

    /// Nil for a path or a method of no operation.
    ///
    /// The rest of the path is the topic: SDKs encode its slashes, and others may leave them as they are.
    init?(_ method: HTTPRequest.Method, path: Substring) {
        if method == .get, path == "/retainedMessage" {
            self = .listRetainedMessages
        } else if method == .get, let topic = Self.topic(in: path, behind: "/retainedMessage/") {
            self = .getRetainedMessage(topic: topic)
        } else if method == .post, let topic = Self.topic(in: path, behind: "/topics/") {
            self = .publish(topic: topic)
        } else {
            return nil
        }
    }

    private static func topic(in path: Substring, behind prefix: String) -> String? {
        guard path.hasPrefix(prefix) else { return nil }
        return PercentEncoding.decode(path.dropFirst(prefix.count), plusIsSpace: false)
    }

    /// Whether a request names the data plane in its signature, as those of AWS SDKs do.
    ///
    /// A page in a browser says where it comes from, and is never answered.
    static func isSigned(_ request: Request) -> Bool {
        guard !request.isFromPage else { return false }
        return request.headers[.authorization]?.contains("/iotdata/aws4_request") ?? false
    }
}
