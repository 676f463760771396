import BrokerCore
import Hummingbird
import NIOCore
import ServiceLifecycle

/// The body of a live stream: one JSON document a line, until the reader goes or the listener shuts down.
struct TailBody: Sendable {
    let filter: String
    let broker: any BrokerAccess
    let limits: InspectionLimits
    /// Gives the stream's place back when the body is gone, written or not.
    let place: TailStreams.Place

    private enum Step: Sendable {
        case message(TailedMessage)
        /// Nobody published for a while.
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
        let tail = broker.tail(filter)
        let heartbeat = Duration.seconds(limits.tailHeartbeatSeconds)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var written = messagesWritten.makeAsyncIterator()
                for await message in tail {
                    offers.yield(.message(message))
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
            // An empty line tells the reader at once that the stream stands.
            try await writer.write(ByteBuffer(string: "\n"))
            for await step in steps {
                switch step {
                case .message(let message):
                    let line = try JSONAnswer.encode(TailDocument(message, payloadBytesMax: limits.tailPayloadBytesMax))
                    try await writer.write(ByteBuffer(bytes: line + [UInt8(ascii: "\n")]))
                    messageWasWritten.yield()
                case .silence:
                    try await writer.write(ByteBuffer(string: "\n"))
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
