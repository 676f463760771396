/// Who carries out HTTP calls: the port through which deliveries leave the program.
///
/// An implementation keeps to the invocation's limits, follows no redirect, and connects only where ``OutboundPolicy`` lets it.
package protocol HTTPDoor: Sendable {
    /// Carries out a call.
    ///
    /// - Parameters:
    ///   - invocation: the call.
    ///   - completion: called once, later, from any thread.
    func send(_ invocation: HTTPInvocation, completion: @escaping @Sendable (HTTPOutcome) -> Void)
}

/// One HTTP call, ready to be sent.
///
/// Headers and query may hold secrets: they are in no description of it.
package struct HTTPInvocation: Sendable, CustomStringConvertible, CustomReflectable {
    /// How the answer is read.
    package enum Kind: Sendable {
        case http
        /// A function may take long, and a failed one answers 200 all the same.
        case function
    }

    package let kind: Kind
    package let method: String
    package let endpoint: HTTPEndpoint
    /// Path and query, beginning with `/`.
    package let target: String
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]
    /// Whether the operator chose the address, so that it may be anywhere.
    package let isTrusted: Bool

    package init(
        kind: Kind, method: String, endpoint: HTTPEndpoint, target: String, headers: [(name: String, value: String)], body: [UInt8],
        isTrusted: Bool
    ) {
        (self.kind, self.method, self.endpoint, self.target) = (kind, method, endpoint, target)
        (self.headers, self.body, self.isTrusted) = (headers, body, isTrusted)
    }

    package var url: String { "\(endpoint.origin)\(target)" }

    package var description: String { "\(method) \(endpoint.host)" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    var bytes: Int { headers.reduce(target.utf8.count + body.count) { $0 + $1.name.utf8.count + $1.value.utf8.count } }
}

/// What came of a call.
package enum HTTPOutcome: Sendable, Equatable {
    /// - `functionError`: the value of `X-Amz-Function-Error`, or what ``FunctionError`` finds in a function's answer.
    case answered(status: Int, retryAfter: String? = nil, functionError: String? = nil)
    case failed(HTTPFailure)
}

/// Why a call had no answer.
package enum HTTPFailure: Error, Sendable, Equatable {
    case timedOut(seconds: Int)
    /// No connection, or one that broke.
    case unreachable(String)
    /// The guard does not let it go there.
    case denied(String)
    /// It cannot be sent as it is.
    case invalid(String)
}
