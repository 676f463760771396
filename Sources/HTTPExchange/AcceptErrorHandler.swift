import Glibc
package import Logging
package import NIOCore

/// Says in the log why connections cannot be accepted, and pauses where the process or the machine has no room for more.
///
/// Stands first where a listener accepts, of MQTT or of HTTP. The socket stays readable then: accept would fail again at once, thousands of times
/// a second. NIO's own `AcceptBackoffHandler` delays the next read, but a read that failed counts as still wanted, so that there is no next
/// one to delay; hence reading is switched off.
package final class AcceptErrorHandler: ChannelInboundHandler {
    package typealias InboundIn = Any

    /// How long nothing is accepted.
    static let pause = TimeAmount.seconds(1)

    private let listener: String
    private let logger: Logger

    package init(listener: String, logger: Logger) {
        self.listener = listener
        self.logger = logger
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.error("cannot accept", metadata: ["listener": "\(listener)", "reason": "\(error)"])
        guard let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) else { return }
        let channel = context.channel
        // A listener that is closing has no options any more, and accepts nothing.
        try? channel.syncOptions?.setOption(.autoRead, value: false)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) {
            try? channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }
}
