import AsyncHTTPClient
package import EventBus
import NIOCore
import NIOHTTP1

extension OutboundClient {
    /// Reads a document that the operator has named by its URL: nobody else chooses where the call goes, so it may go anywhere.
    ///
    /// No redirect is followed.
    ///
    /// - Parameters:
    ///   - url: `https://…`, or `http://…`.
    ///   - bytesMax: bytes of the document; a longer one is a failure.
    /// - Returns: its bytes.
    /// - Throws: why there is none, also for an answer with another status than 200.
    package func document(at url: String, bytesMax: Int) async throws(HTTPFailure) -> [UInt8] {
        let (endpoint, target) = try Self.endpoint(of: url)
        let invocation = HTTPInvocation(
            kind: .http, method: "GET", endpoint: endpoint, target: target, headers: [("Accept", "application/json")], body: [],
            isTrusted: true)
        let progress = CallProgress()
        return try await within(secondsMax, progress) { [self] () throws(HTTPFailure) in
            guard let address = try await addresses(of: invocation, progress).first else {
                throw .unreachable("no address was found for \(endpoint.host)")
            }
            progress.began()
            return try await read(invocation, at: address, bytesMax: bytesMax)
        }
    }

    private static func endpoint(of url: String) throws(HTTPFailure) -> (HTTPEndpoint, String) {
        do throws(HTTPEndpointError) {
            let (endpoint, rest) = try HTTPEndpoint.parse(url)
            return (endpoint, rest.hasPrefix("/") ? rest : "/" + rest)
        } catch {
            throw .invalid(error.description)
        }
    }

    private func read(_ invocation: HTTPInvocation, at address: InternetAddress, bytesMax: Int) async throws(HTTPFailure) -> [UInt8] {
        do {
            return try await clients.withClient(for: invocation.endpoint, at: address) { client, url in
                var request = HTTPClientRequest(url: url + invocation.target)
                for (name, value) in invocation.headers { request.headers.add(name: name, value: value) }
                request.headers.replaceOrAdd(name: "User-Agent", value: "Crema")
                request.headers.replaceOrAdd(name: "Host", value: invocation.endpoint.authority)
                // Whoever waits for the call sets its limit, and cancels it then.
                let response = try await client.execute(request, deadline: .distantFuture)
                guard response.status == .ok else { throw HTTPFailure.invalid("the answer has status \(response.status.code)") }
                return Array(try await response.body.collect(upTo: bytesMax).readableBytesView)
            }
        } catch let failure as HTTPFailure {
            throw failure
        } catch is NIOTooManyBytesError {
            throw .invalid("the answer is longer than \(bytesMax) bytes")
        } catch {
            throw failure(of: error, invocation.kind)
        }
    }
}

extension HTTPFailure {
    /// What went wrong, for people.
    package var reason: String {
        switch self {
        case .timedOut(let seconds): "no answer within \(seconds) seconds"
        case .unreachable(let reason), .denied(let reason), .invalid(let reason): reason
        }
    }
}
