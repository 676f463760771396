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
/// is used.
package final class OutboundClient: HTTPDoor {
    /// How long a call may take once its host is found.
    package static let secondsMax = 5
    /// Bytes of an answer's body that are read, so that its connection can be used again; at more it is closed.
    private static let answerBytesMax = 65_536

    private let policy: OutboundPolicy
    private let lookup: @Sendable (String) async throws -> [InternetAddress]
    private let clients: PinnedClients
    private let secondsMax: Int

    /// - Parameters:
    ///   - policy: where calls may go.
    ///   - lookup: finds the addresses of hosts.
    ///   - eventLoopGroup: where connections live.
    ///   - trustRoots: who may vouch for servers.
    ///   - secondsMax: how long a call may take.
    package init(
        policy: OutboundPolicy, lookup: @escaping @Sendable (String) async throws -> [InternetAddress], eventLoopGroup: any EventLoopGroup,
        trustRoots: NIOSSLTrustRoots = .default, secondsMax: Int = OutboundClient.secondsMax
    ) {
        self.policy = policy
        self.lookup = lookup
        self.secondsMax = secondsMax
        clients = PinnedClients(eventLoopGroup: eventLoopGroup, trustRoots: trustRoots, secondsMax: Int64(secondsMax))
    }

    package func shutDown() async { await clients.shutDown() }

    package func send(_ invocation: HTTPInvocation, completion: @escaping @Sendable (HTTPOutcome) -> Void) {
        Task { completion(await outcome(of: invocation)) }
    }

    private func outcome(of invocation: HTTPInvocation) async -> HTTPOutcome {
        do throws(HTTPFailure) {
            let addresses = try await admittedAddresses(of: invocation)
            let head = AnswerHead()
            return try await withinTheLimit(head) { [self] () throws(HTTPFailure) in
                var failure = HTTPFailure.unreachable("the host has no address")
                for address in addresses {
                    do throws(HTTPFailure) {
                        return try await call(invocation, at: address, head)
                    } catch {
                        failure = error
                        // Only where nothing can have been received is another address tried at once.
                        guard case .unreachable(let why) = error, why == Self.refused else { throw error }
                    }
                }
                throw failure
            }
        } catch {
            return .failed(error)
        }
    }

    private static let refused = "the connection was refused or not answered"

    private func admittedAddresses(of invocation: HTTPInvocation) async throws(HTTPFailure) -> [InternetAddress] {
        let endpoint = invocation.endpoint
        var addresses = endpoint.address.map { [$0] } ?? []
        if addresses.isEmpty {
            do { addresses = try await lookup(endpoint.host) } catch { throw .unreachable("the lookup of \(endpoint.host) ended") }
        }
        guard !addresses.isEmpty else { throw .unreachable("no address was found for \(endpoint.host)") }
        guard !invocation.isTrusted else { return addresses }
        let admitted = addresses.filter { policy.refusal(of: $0, for: endpoint) == nil }
        guard admitted.isEmpty else { return admitted }
        throw .denied(policy.refusal(of: addresses[0], for: endpoint) ?? "\(endpoint.host) is not called")
    }

    private func withinTheLimit(
        _ head: AnswerHead, _ body: @escaping @Sendable () async throws(HTTPFailure) -> HTTPOutcome
    ) async throws(HTTPFailure) -> HTTPOutcome {
        let limit = secondsMax
        return try await withTaskGroup(of: Result<HTTPOutcome, HTTPFailure>.self) { group in
            group.addTask { do throws(HTTPFailure) { return .success(try await body()) } catch { return .failure(error) } }
            group.addTask {
                try? await Task.sleep(for: .seconds(limit))
                return head.outcome.map { .success($0) } ?? .failure(.timedOut(seconds: limit))
            }
            let first = await group.next() ?? .failure(.timedOut(seconds: limit))
            group.cancelAll()
            return first
        }.get()
    }

    private func call(
        _ invocation: HTTPInvocation, at address: InternetAddress, _ head: AnswerHead
    ) async throws(HTTPFailure) -> HTTPOutcome {
        var request = HTTPClientRequest(url: invocation.url)
        request.method = HTTPMethod(rawValue: invocation.method)
        for (name, value) in invocation.headers { request.headers.add(name: name, value: value) }
        request.headers.replaceOrAdd(name: "User-Agent", value: "Crema")
        if !invocation.body.isEmpty { request.body = .bytes(ByteBuffer(bytes: invocation.body)) }
        let limit = TimeAmount.seconds(Int64(secondsMax))
        do {
            return try await clients.withClient(for: invocation.endpoint, at: address) { [request] client in
                let response = try await client.execute(request, timeout: limit)
                let outcome = HTTPOutcome.answered(
                    status: Int(response.status.code), retryAfter: response.headers.first(name: "Retry-After"),
                    functionError: response.headers.first(name: "X-Amz-Function-Error"))
                head.hear(outcome)
                _ = try? await response.body.collect(upTo: Self.answerBytesMax)
                return outcome
            }
        } catch {
            throw failure(of: error)
        }
    }

    /// What went wrong, without any word that came from the request.
    private func failure(of error: any Error) -> HTTPFailure {
        switch error {
        case let error as HTTPClientError where [.connectTimeout, .readTimeout, .deadlineExceeded, .requestStreamCancelled].contains(error):
            .timedOut(seconds: secondsMax)
        case is CancellationError: .timedOut(seconds: secondsMax)
        case is StatusGuard.NoStatus: .unreachable("the answer has no status of HTTP's")
        case is NIOConnectionError: .unreachable(Self.refused)
        case let error as IOError where [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH].contains(error.errnoCode): .unreachable(Self.refused)
        case is IOError: .unreachable("the connection broke")
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            .unreachable("TLS failed: the certificate is not trusted, or not this host's")
        case let error as HTTPClientError: .unreachable(error.shortDescription)
        default: .unreachable("\(type(of: error))")
        }
    }
}

/// The head of an answer, which says what became of a call although its body may never end.
private final class AnswerHead: Sendable {
    private let heard = Mutex<HTTPOutcome?>(nil)

    var outcome: HTTPOutcome? { heard.withLock { $0 } }

    func hear(_ outcome: HTTPOutcome) { heard.withLock { $0 = outcome } }
}
