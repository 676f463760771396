package import Documents

/// Where functions are called.
package struct LambdaEndpoint: Sendable, Equatable {
    let endpoint: HTTPEndpoint
    private let path: String

    /// Reads `lambda: { endpoint: URL }` of the configuration.
    package init(_ setting: Configuration.AllowedHost) throws(DocumentError) {
        do throws(HTTPEndpointError) {
            let (endpoint, rest) = try HTTPEndpoint.parse(setting.text)
            guard !rest.contains("?") else { throw HTTPEndpointError("the URL must have no query") }
            self.endpoint = endpoint
            path = rest.hasSuffix("/") ? String(rest.dropLast()) : rest
        } catch {
            throw DocumentError("lambda: endpoint: \(error)", at: setting.location)
        }
    }

    /// The target of a call: a path that ends as calls do is that of all functions, since a runtime emulator knows its only one as `function`.
    fileprivate func target(of function: String) -> String {
        path.hasSuffix("/invocations") ? path : "\(path)/2015-03-31/functions/\(HTTPText.percentEncoded(function))/invocations"
    }
}

/// A function that rules call.
struct LambdaFunction: Sendable {
    let name: String
    private let qualifier: String?
    private let endpoint: LambdaEndpoint

    /// Reads `arn:aws:lambda:REGION:ACCOUNT:function:NAME`, or with `:QUALIFIER` behind it.
    ///
    /// - Returns: nil for another ARN.
    /// - Throws: for a function, where the configuration does not say where functions are called.
    init?(arn: String, calls: CallSettings, what: String, at location: SourceLocation) throws(DocumentError) {
        let parts = arn.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (7...8).contains(parts.count), parts[0] == "arn", parts[1].hasPrefix("aws"), parts[2] == "lambda", parts[5] == "function"
        else { return nil }
        for part in parts[6...] where !Self.isName(part) {
            throw DocumentError("\(what): `\(part)` is not the name of a function or a version", at: location)
        }
        guard let endpoint = calls.lambda else {
            throw DocumentError(
                "\(what): the function \(parts[6]) cannot be called: the configuration lacks `lambda: { endpoint: http://HOST:PORT }`",
                at: location)
        }
        name = parts[6]
        qualifier = parts.count == 8 ? parts[7] : nil
        self.endpoint = endpoint
    }

    private static func isName(_ text: String) -> Bool {
        (1...140).contains(text.utf8.count) && text.utf8.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: "$") }
    }

    /// The call: the function's answer is not waited for by those whose endpoint works as the service does.
    func invocation(_ payload: [UInt8]) -> HTTPInvocation {
        var target = endpoint.target(of: name)
        if let qualifier { HTTPText.appendQuery([("Qualifier", qualifier)], to: &target) }
        return HTTPInvocation(
            kind: .function, method: "POST", endpoint: endpoint.endpoint, target: target,
            headers: [("Content-Type", "application/json"), ("X-Amz-Invocation-Type", "Event")], body: payload, isTrusted: true)
    }
}

/// What the configuration says of calls that rules make.
package struct CallSettings: Sendable {
    package var lambda: LambdaEndpoint?
    package var policy: OutboundPolicy

    package init(lambda: LambdaEndpoint? = nil, policy: OutboundPolicy = OutboundPolicy()) {
        self.lambda = lambda
        self.policy = policy
    }

    /// Reads `http` and `lambda`.
    package init(_ configuration: Configuration) throws(DocumentError) {
        var problems = ProblemCollector()
        let policy = problems.collect { () throws(DocumentError) in try OutboundPolicy(allowing: configuration.allowedHosts) }
        if let setting = configuration.lambdaEndpoint {
            lambda = problems.collect { () throws(DocumentError) in try LambdaEndpoint(setting) }
        }
        self.policy = policy ?? OutboundPolicy()
        try problems.finish()
    }
}
