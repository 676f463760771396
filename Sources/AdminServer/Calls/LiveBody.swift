import BrokerCore
import Hummingbird
import NIOCore
import ServiceLifecycle

/// How the documents of a live stream stand in its body.
enum LiveFormat: Sendable {
    /// One document a line (`application/x-ndjson`).
    case lines
    /// One event a document (HTML Living Standard, 9.2 Server-sent events).
    case serverSentEvents

    /// What the request accepts; lines, unless it names server-sent events.
    init(for request: Request) {
        self = (request.headers[.accept] ?? "").contains("text/event-stream") ? .serverSentEvents : .lines
    }

    var contentType: String { self == .lines ? "application/x-ndjson" : "text/event-stream" }

    /// What tells a reader that the stream stands, and nothing else.
    var silence: ByteBuffer { ByteBuffer(string: self == .lines ? "\n" : ":\n\n") }

    func frame(_ document: [UInt8]) -> ByteBuffer {
        switch self {
        case .lines: ByteBuffer(bytes: document + [UInt8(ascii: "\n")])
        // A document has no line ends of its own: its encoder escapes them.
        case .serverSentEvents: ByteBuffer(bytes: Array("data: ".utf8) + document + Array("\n\n".utf8))
        }
    }
}

/// The body of a live stream: documents until their source ends, the reader goes or the listener shuts down.
struct LiveBody<Element: Sendable>: Sendable {
    let source: AsyncStream<Element>
    let format: LiveFormat
    let heartbeatSeconds: Int
    /// Gives the stream's place back when the body is gone, written or not.
    let place: TailStreams.Place
    let encode: @Sendable (Element) throws -> [UInt8]

    private enum Step: Sendable {
        case element(Element)
        /// Nothing came for a while.
        case silence
        case ended
    }

    /// Writes until the stream ends.
    ///
    /// Two tasks offer steps, each waiting until its last one was written: nothing piles up here. What piles up in the broker's own
    /// bounded buffer is counted there. Two more watch for the end.
    ///
    /// The end of the request's connection is the reader's going.
    @concurrent
    func write(to writer: inout any ResponseBodyWriter, for request: Request) async throws {
        let (steps, offers) = AsyncStream<Step>.makeStream()
        let (messagesWritten, messageWasWritten) = AsyncStream<Void>.makeStream()
        let (silencesWritten, silenceWasWritten) = AsyncStream<Void>.makeStream()
        let (source, heartbeat) = (source, Duration.seconds(heartbeatSeconds))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var written = messagesWritten.makeAsyncIterator()
                for await element in source {
                    offers.yield(.element(element))
                    await written.next()
                }
                offers.yield(.ended)
            }
            group.addTask {
                var written = silencesWritten.makeAsyncIterator()
                while (try? await Task.sleep(for: heartbeat)) != nil {
                    offers.yield(.silence)
                    await written.next()
                }
            }
            group.addTask { await Self.waitForReader(of: request) { offers.yield(.ended) } }
            group.addTask {
                try? await gracefulShutdown()
                offers.yield(.ended)
            }
            defer { group.cancelAll() }
            // An empty line or comment tells the reader at once that the stream stands.
            try await writer.write(format.silence)
            for await step in steps {
                switch step {
                case .element(let element):
                    try await writer.write(format.frame(try encode(element)))
                    messageWasWritten.yield()
                case .silence:
                    try await writer.write(format.silence)
                    silenceWasWritten.yield()
                case .ended: return
                }
            }
        }
        try await writer.finish(nil)
    }

    /// Calls `onEnd` when the request's connection ends; returns then, or when cancelled.
    private static func waitForReader(of request: Request, onEnd: @escaping @Sendable () -> Void) async {
        let (ended, end) = AsyncStream<Void>.makeStream()
        try? await request.body.consumeWithInboundCloseHandler { _ in
            for await _ in ended {}
        } onInboundClosed: {
            onEnd()
            end.finish()
        }
    }
}
