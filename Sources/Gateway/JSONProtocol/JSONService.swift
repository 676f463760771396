import HTTPExchange
import HTTPListening
import Hummingbird
import NIOCore
import Trust

/// A call of an operation, without what HTTP adds.
struct ServiceCall {
    let body: [UInt8]
    /// Where the caller reached the listener, such as `http://127.0.0.1:8080`.
    let origin: String
    /// For calls that wait: nobody is to wait for a caller that has gone.
    var departure = PeerDeparture.never
    /// Whose rights are asked for; nil for what a route does, which its API may.
    var caller: Caller?
}

/// An AWS service that takes calls as `POST /` with `X-Amz-Target: PREFIX.OPERATION` and a JSON body.
protocol JSONService: Sendable {
    /// The operations that Crema has, by the names of the service's model.
    associatedtype Operation: RawRepresentable<String>

    /// What stands before the operation in `X-Amz-Target`.
    static var prefix: String { get }
    /// What its requests are signed for.
    static var signingName: String { get }
    /// Whether its clients know errors by the names of an older protocol.
    static var hasOlderNames: Bool { get }
    /// Of requests and answers.
    static var mediaType: String { get }
    /// As which part of the gateway the answers of an operation are counted, be it there or not.
    static func handler(of operation: Substring) -> GatewayCounters.Handler
    /// The longest body of a request.
    var bodyBytesMax: Int { get }

    /// What a body that cannot be read is answered with.
    func error(_ error: BodyReadError, _ operation: Operation) -> ServiceError

    /// Carries out a call.
    ///
    /// - Returns: the body of the answer, whose status is 200.
    func perform(_ operation: Operation, _ call: ServiceCall) async throws(ServiceError) -> [UInt8]
}

extension JSONService {
    func error(_ error: BodyReadError, _ operation: Operation) -> ServiceError { ServiceError(error) }

    static var hasOlderNames: Bool { false }

    /// Answers a request.
    ///
    /// What is not there is refused before the body is read; to whoever signs, only when it is known that they do.
    func answer(
        _ name: Substring, _ request: Request, by unfinished: CallerCheck.Unfinished, _ departure: PeerDeparture, bodySecondsMax: Int
    ) async throws(ServiceError) -> [UInt8] {
        if !unfinished.isSigned { _ = try Self.operation(name, request) }
        let body: ByteBuffer
        do throws(BodyReadError) { body = try await request.readBody(upTo: bodyBytesMax, seconds: bodySecondsMax) } catch {
            throw self.error(error, try Self.operation(name, request))
        }
        let caller: Caller
        do throws(SignatureFailure) { caller = try unfinished.finish(body) } catch { throw ServiceError(error) }
        let operation = try Self.operation(name, request)
        let origin = "http://\(request.head.authority ?? "127.0.0.1")"
        let call = ServiceCall(body: Array(body.readableBytesView), origin: origin, departure: departure, caller: caller)
        return try await perform(operation, call)
    }

    private static func operation(_ name: Substring, _ request: Request) throws(ServiceError) -> Operation {
        guard let operation = Operation(rawValue: String(name)) else { throw .unknownOperation("\(Self.prefix).\(name)") }
        let contentType = request.headers[.contentType] ?? ""
        guard contentType.lowercased().prefix(while: { $0 != ";" && $0 != " " }) == Self.mediaType else {
            throw ServiceError(.unsupportedMediaType, "Content-Type must be \(Self.mediaType), not '\(contentType)'.")
        }
        return operation
    }
}

extension ServiceError {
    static func unknownOperation(_ name: String) -> ServiceError {
        ServiceError(.unknownOperation, "The operation \(name) is not supported by Crema.")
    }
}
