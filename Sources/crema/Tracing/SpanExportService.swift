import AsyncHTTPClient
import BrokerCore
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle

/// Tells a collector of spans, a batch at a time.
///
/// A batch that the collector does not take is lost, and counted: nobody waits for a collector.
struct SpanExportService: Service {
    private static let batchMax = 512
    private static let pause = Duration.seconds(1)
    private static let secondsMax: Int64 = 5

    let queue: SpanQueue
    /// Of the collector, without `/v1/traces`.
    let address: String
    let version: String
    let log: Logger

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try await Task.sleep(for: Self.pause)
                await export()
            }
        }
        await export()
    }

    /// Sends what waits, until nothing does or the collector takes no more.
    private func export() async {
        while true {
            let spans = queue.take(atMost: Self.batchMax)
            if spans.isEmpty { return }
            let failure = await send(spans)
            let isNews = queue.ended(spans.count, isTaken: failure == nil)
            guard let failure else {
                if isNews { log.notice("the collector takes spans again", metadata: ["otlp": "\(address)"]) }
                continue
            }
            if isNews { log.warning("the collector takes no spans", metadata: ["otlp": "\(address)", "reason": "\(failure)"]) }
            return
        }
    }

    private func send(_ spans: [Span]) async -> String? {
        do {
            var request = HTTPClientRequest(url: "\(address)/v1/traces")
            request.method = .POST
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try SpanDocument(spans, version: version).json))
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(Self.secondsMax))
            return (200..<300).contains(response.status.code) ? nil : "status \(response.status.code)"
        } catch {
            return "\(error)"
        }
    }
}
