package import HTTPTypes
package import Hummingbird
import Logging
import NIOCore
import NIOEmbedded

extension ApplicationProtocol where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    /// What the responder answers to a request with a host of its own, without a socket.
    package func answer(
        _ method: HTTPRequest.Method, _ path: String, host: String?, _ fields: HTTPFields = [:], body: String = ""
    ) async throws -> (status: HTTPResponse.Status, text: String) {
        let responder = try await responder
        let context = Responder.Context(source: .init(channel: NIOAsyncTestingChannel(), logger: Logger(label: "test")))
        let request = Request(
            head: HTTPRequest(method: method, scheme: "http", authority: host, path: path, headerFields: fields),
            body: RequestBody(buffer: ByteBuffer(string: body)))
        let response = try await responder.respond(to: request, context: context)
        let writer = CollectedBody()
        try await response.body.write(writer)
        return (response.status, writer.text)
    }
}

/// A body's text.
private final class CollectedBody: ResponseBodyWriter {
    private(set) var text = ""

    func write(_ buffer: ByteBuffer) async throws { text += String(buffer: buffer) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
