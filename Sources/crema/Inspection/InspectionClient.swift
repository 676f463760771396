import AdminServer
import ArgumentParser
import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Asks the admin listener of a running broker.
struct InspectionClient {
    /// Longest answer that is read, in bytes.
    static let answerBytesMax = 64 << 20

    let address: String
    private let http: HTTPClient
    private let token: String?

    /// Runs a command with a client, and turns what goes wrong into a line on the error output and an exit code.
    static func run(_ options: InspectionOptions, _ operation: (InspectionClient) async throws -> Void) async throws {
        do {
            try await withClient(at: options.address(), token: options.token(), operation)
        } catch let failure as InspectionFailure {
            TerminalOutput.error.writeLine("crema: \(failure.message)")
            throw failure.exitCode
        }
    }

    private static func withClient(
        at address: String, token: String?, _ operation: (InspectionClient) async throws -> Void
    ) async throws {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5)))
        // One attempt: a broker that is not there is an answer, not something to wait for.
        configuration.connectionPool.retryConnectionEstablishment = false
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            try await operation(InspectionClient(address: address, http: http, token: token))
        } catch {
            try? await http.shutdown()
            // Not the broker's doing: the reader has gone, the command has decided, or the user has interrupted it.
            if error is OutputClosed || error is ExitCode { throw error }
            try Task.checkCancellation()
            throw InspectionFailure(error, address: address)
        }
        try? await http.shutdown()
    }

    /// The answer to a call, as JSON text.
    func get(_ call: String, query: [String: String] = [:]) async throws -> [UInt8] {
        let response = try await http.execute(request(call, query), timeout: .seconds(30))
        let body = try await response.body.collect(upTo: Self.answerBytesMax)
        try check(response.status, body)
        return Array(body.readableBytesView)
    }

    func get<Document: Decodable>(
        _ call: String, query: [String: String] = [:], as type: Document.Type
    ) async throws -> Document {
        try Self.decode(type, from: await get(call, query: query))
    }

    /// Has the broker change something; the answer as JSON text.
    ///
    /// In the path segments that come from people are encoded by ``segment(_:)``. It may take long: many messages may have to be on disk.
    func change(
        _ method: HTTPMethod, _ call: String, query: [String: String] = [:], body: some Encodable = NoBody()
    ) async throws -> [UInt8] {
        let response = try await http.execute(try changing(method, call, query, body), timeout: .seconds(600))
        let body = try await response.body.collect(upTo: Self.answerBytesMax)
        try check(response.status, body)
        return Array(body.readableBytesView)
    }

    /// What a call takes that reads no body: the API wants JSON all the same, which no web page elsewhere can make a browser send.
    struct NoBody: Encodable {}

    private func changing(
        _ method: HTTPMethod, _ call: String, _ query: [String: String], _ body: some Encodable
    ) throws -> HTTPClientRequest {
        var request = self.request(call, query)
        request.method = method
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(body)))
        return request
    }

    /// One segment of a call's path.
    static func segment(_ text: String) -> String { encoded(text) }

    /// Has the broker read the site's files anew; answers also with why it would not.
    func reload() async throws -> (document: ReloadDocument, json: [UInt8]) {
        let response = try await http.execute(try changing(.POST, "reload", [:], NoBody()), timeout: .seconds(60))
        let body = try await response.body.collect(upTo: Self.answerBytesMax)
        if response.status != .unprocessableEntity { try check(response.status, body) }
        let json = Array(body.readableBytesView)
        return (try Self.decode(ReloadDocument.self, from: json), json)
    }

    /// The lines of an answer that does not end by itself; empty ones are left out.
    ///
    /// `endsByItself`: the end is no failure.
    func stream(
        _ call: String, query: [String: String] = [:], endsByItself: Bool = false, _ receive: ([UInt8]) throws -> StreamDecision
    ) async throws {
        let response = try await http.execute(request(call, query), deadline: .distantFuture)
        guard response.status == .ok else {
            try check(response.status, try await response.body.collect(upTo: Self.answerBytesMax))
            return
        }
        var rest = ByteBuffer()
        for try await var piece in response.body {
            rest.writeBuffer(&piece)
            while let end = rest.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
                let length = end - rest.readableBytesView.startIndex
                guard let line = rest.readBytes(length: length) else { break }
                rest.moveReaderIndex(forwardBy: 1)
                if !line.isEmpty, try receive(line) == .stop { return }
            }
            rest.discardReadBytes()
            guard rest.readableBytes <= Self.answerBytesMax else { throw InspectionFailure.failed("\(address) sent an endless line") }
        }
        if !endsByItself { throw InspectionFailure.failed("\(address) ended the stream") }
    }

    enum StreamDecision {
        case more
        case stop
    }

    /// The state that `/readyz` names, whatever its status.
    func readiness() async throws -> (ready: Bool, state: String) {
        let response = try await http.execute(HTTPClientRequest(url: "\(address)/readyz"), timeout: .seconds(5))
        let body = String(buffer: try await response.body.collect(upTo: 4_096))
        return (response.status == .ok, String(body.prefix { !$0.isNewline }))
    }

    static func decode<Document: Decodable>(_ type: Document.Type, from bytes: [UInt8]) throws -> Document {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw InspectionFailure.failed("the answer is not what this version of crema understands: \(error)")
        }
    }

    private func check(_ status: HTTPResponseStatus, _ body: ByteBuffer) throws(InspectionFailure) {
        guard status != .ok else { return }
        let document = try? JSONDecoder().decode(ErrorDocument.self, from: Data(body.readableBytesView))
        let message = TerminalText.escaped(document?.error ?? "\(address) answered \(status.code)")
        switch status {
        case .unauthorized, .forbidden: throw .refused(message)
        case .badRequest: throw .usage(message)
        default: throw .failed(message)
        }
    }

    private func request(_ call: String, _ query: [String: String]) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url(call, query))
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        return request
    }

    private func url(_ call: String, _ query: [String: String]) -> String {
        let pairs = query.sorted { $0.key < $1.key }.map { "\($0.key)=\(Self.encoded($0.value))" }
        return "\(address)/api/v1/\(call)" + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
    }

    /// Percent-encodes everything but RFC 3986's unreserved characters.
    private static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            if byte < 0x80,
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil || "-._~".unicodeScalars.contains(scalar)
            {
                result.unicodeScalars.append(scalar)
            } else {
                result += byte < 16 ? "%0" : "%"
                result += String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}
