import AsyncHTTPClient
package import EventBus
import Glibc
package import NIOCore
import NIOHTTP1
import NIOPosix
package import NIOSSL
import Synchronization

/// Carries out the HTTP calls of rules.
///
/// A host's addresses are looked up for every call and shown to the policy; the connection goes to the address that
/// passed, so that a name whose address changes in between leads nowhere else. No redirect is followed, and of an answer only the head
/// is used, unless a function may say in its body that it failed.
package final class OutboundClient: HTTPDoor {
    /// How long a call may take, the lookup of its host included, unless it is a function's.
    package static let secondsMax = 5
    /// Bytes of an answer's body that are read, so that its connection can be used again; at more it is closed.
    private static let answerBytesMax = 65_536

    private let policy: OutboundPolicy
    private let lookup: @Sendable (String) async throws -> [InternetAddress]
    let clients: PinnedClients
    let secondsMax: Int
    private let functionSecondsMax: Int

    /// - Parameters:
    ///   - policy: where calls may go.
    ///   - lookup: finds the addresses of hosts.
    ///   - eventLoopGroup: where connections live.
    ///   - trustRoots: who may vouch for servers.
    ///   - secondsMax: how long a call may take, and a function's call until there is a connection.
    ///   - functionSecondsMax: how long the call of a function may take.
    package init(
        policy: OutboundPolicy, lookup: @escaping @Sendable (String) async throws -> [InternetAddress], eventLoopGroup: any EventLoopGroup,
        trustRoots: NIOSSLTrustRoots = .default, secondsMax: Int = OutboundClient.secondsMax,
        functionSecondsMax: Int = DeliveryLimits().lambdaSecondsMax
    ) {
        self.policy = policy
        self.lookup = lookup
        self.secondsMax = secondsMax
        self.functionSecondsMax = functionSecondsMax
        clients = PinnedClients(eventLoopGroup: eventLoopGroup, trustRoots: trustRoots, connectSecondsMax: Int64(secondsMax))
    }

    package func shutDown() async { await clients.shutDown() }

    package func send(_ invocation: HTTPInvocation, completion: @escaping @Sendable (HTTPOutcome) -> Void) {
        Task { completion(await outcome(of: invocation)) }
    }

    private func outcome(of invocation: HTTPInvocation) async -> HTTPOutcome {
        let progress = CallProgress()
        let limit = invocation.kind == .function ? functionSecondsMax : secondsMax
        do throws(HTTPFailure) {
            return try await within(limit, progress) { [self] () throws(HTTPFailure) in
                let addresses = try await addresses(of: invocation, progress)
                progress.began()
                var failure = HTTPFailure.unreachable("the host has no address")
                for address in addresses {
                    do throws(HTTPFailure) {
                        return try await call(invocation, at: address, progress)
                    } catch {
                        failure = error
                        // Only where nothing can have been received is another address tried at once.
                        guard case .unreachable(let why) = error, why == Self.refused else { throw error }
                    }
                }
                throw failure
            }
        } catch {
            return progress.outcome ?? .failed(error)
        }
    }

    private static let refused = "the connection was refused or not answered"

    /// The addresses that may be called, looked up where the host is a name.
    func addresses(of invocation: HTTPInvocation, _ progress: CallProgress) async throws(HTTPFailure) -> [InternetAddress] {
        if let address = invocation.endpoint.address { return try admitted([address], for: invocation) }
        let host = invocation.endpoint.host
        let addresses = try await within(secondsMax, progress) { [lookup] () throws(HTTPFailure) in
            do { return try await lookup(host) } catch let error as HostLookupFailure { throw .unreachable("\(error)") } catch {
                throw .unreachable("the lookup of \(host) ended")
            }
        }
        return try admitted(addresses, for: invocation)
    }

    private func admitted(_ addresses: [InternetAddress], for invocation: HTTPInvocation) throws(HTTPFailure) -> [InternetAddress] {
        let endpoint = invocation.endpoint
        guard let first = addresses.first else { throw .unreachable("no address was found for \(endpoint.host)") }
        guard !invocation.isTrusted else { return addresses }
        let admitted = addresses.filter { policy.refusal(of: $0, for: endpoint) == nil }
        guard admitted.isEmpty else { return admitted }
        throw .denied(policy.refusal(of: first, for: endpoint) ?? "\(endpoint.host) is not called")
    }

    func within<Value: Sendable>(
        _ limit: Int, _ progress: CallProgress, _ body: @escaping @Sendable () async throws(HTTPFailure) -> Value
    ) async throws(HTTPFailure) -> Value {
        try await withTaskGroup(of: Result<Value, HTTPFailure>.self) { group in
            group.addTask { do throws(HTTPFailure) { return .success(try await body()) } catch { return .failure(error) } }
            group.addTask {
                try? await Task.sleep(for: .seconds(limit))
                // A host that is not found in time has been asked nothing.
                return .failure(
                    progress.hasBegun ? .timedOut(seconds: limit) : .unreachable("the host was not found within \(limit) seconds"))
            }
            let first = await group.next() ?? .failure(.timedOut(seconds: limit))
            group.cancelAll()
            return first
        }.get()
    }

    private func call(
        _ invocation: HTTPInvocation, at address: InternetAddress, _ progress: CallProgress
    ) async throws(HTTPFailure) -> HTTPOutcome {
        do {
            return try await clients.withClient(for: invocation.endpoint, at: address) { client, url in
                var request = HTTPClientRequest(url: url + invocation.target)
                request.method = HTTPMethod(rawValue: invocation.method)
                for (name, value) in invocation.headers { request.headers.add(name: name, value: value) }
                if !request.headers.contains(name: "User-Agent") { request.headers.add(name: "User-Agent", value: "Crema") }
                request.headers.replaceOrAdd(name: "Host", value: invocation.endpoint.authority)
                if !invocation.body.isEmpty { request.body = .bytes(ByteBuffer(bytes: invocation.body)) }
                // Whoever waits for the call sets its limit, and cancels it then.
                let response = try await client.execute(request, deadline: .distantFuture)
                return try await outcome(of: response, invocation.kind, progress)
            }
        } catch {
            throw failure(of: error, invocation.kind)
        }
    }

    private func outcome(
        of response: HTTPClientResponse, _ kind: HTTPInvocation.Kind, _ progress: CallProgress
    ) async throws -> HTTPOutcome {
        let status = Int(response.status.code)
        let retryAfter = response.headers.first(name: "Retry-After")
        let error = response.headers.first(name: "X-Amz-Function-Error")
        // 202 says that the function will be run: there is nothing of it to read.
        if kind == .function, status != 202, error == nil {
            let body = try await response.body.collect(upTo: FunctionError.answerBytesMax)
            let found = FunctionError.type(in: Array(body.readableBytesView))
            return .answered(status: status, retryAfter: retryAfter, functionError: found)
        }
        let outcome = HTTPOutcome.answered(status: status, retryAfter: retryAfter, functionError: error)
        progress.hear(outcome)
        _ = try? await response.body.collect(upTo: Self.answerBytesMax)
        return outcome
    }

    /// What went wrong, without any word that came from the request.
    func failure(of error: any Error, _ kind: HTTPInvocation.Kind) -> HTTPFailure {
        switch error {
        // A function that nobody reached in time has not failed.
        case let error as HTTPClientError where error == .connectTimeout && kind == .function: .unreachable(Self.refused)
        case let error as HTTPClientError where [.connectTimeout, .readTimeout, .deadlineExceeded, .requestStreamCancelled].contains(error):
            .timedOut(seconds: secondsMax)
        case is CancellationError: .timedOut(seconds: secondsMax)
        case is StatusGuard.NoStatus: .unreachable("the answer has no status of HTTP's")
        case is NIOConnectionError: .unreachable(Self.refused)
        case let error as IOError where [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH].contains(error.errnoCode): .unreachable(Self.refused)
        case is IOError: .unreachable("the connection broke")
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            .unreachable("TLS failed: the certificate is not trusted, or not this host's")
        case is NIOTooManyBytesError: .unreachable("the function's answer is longer than \(FunctionError.answerBytesMax) bytes")
        case let error as HTTPClientError: .unreachable(error.shortDescription)
        default: .unreachable("\(type(of: error))")
        }
    }
}

/// How far a call has come.
final class CallProgress: Sendable {
    private struct State {
        var hasBegun = false
        var outcome: HTTPOutcome?
    }

    private let state = Mutex(State())

    /// Whether its host is found.
    var hasBegun: Bool { state.withLock { $0.hasBegun } }
    /// What the head of an answer says of the call, although its body may never end.
    var outcome: HTTPOutcome? { state.withLock { $0.outcome } }

    func began() { state.withLock { $0.hasBegun = true } }
    func hear(_ outcome: HTTPOutcome) { state.withLock { $0.outcome = outcome } }
}
