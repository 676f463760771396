import BrokerCore
import HTTPExchange
import HTTPTypes
package import HummingbirdCore
package import Logging
package import NIOCore
import NIOHTTP1
package import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// What a connection that an HTTP listener accepted becomes.
///
/// As Hummingbird's own HTTP/1 channel, with ``RequestExchangeHandler`` behind the coders: it ends connections, and keeps time. Where a
/// ``ConnectionTakeover`` is given, the first request decides whether the connection stays.
package struct HTTPConnection: HTTPChannelHandler {
    package typealias Parts = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    /// A connection of which it may not be known yet what it becomes.
    package struct Value: ServerChildChannelValue {
        package let channel: any Channel
        /// `nil` when somebody else has the connection.
        let parts: EventLoopFuture<Parts?>
    }

    package let responder: Responder
    let limits: HTTPListenerLimits
    let refusals: HTTPRefusals
    let takeover: ConnectionTakeover?
    let heads: UnfinishedHeads?
    let connections: ConnectionCount

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        connections.opened()
        channel.closeFuture.whenComplete { _ in connections.closed() }
        return channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let counting = try addCoders(to: pipeline)
            let peer = PeerText.of(channel.remoteAddress)
            try pipeline.addHandler(RequestExchangeHandler(limits: limits, refusals: refusals, peer: peer))
            guard let takeover else {
                let parts = try Self.serve(channel, logger)
                return Value(channel: channel, parts: channel.eventLoop.makeSucceededFuture(parts))
            }
            let parts = channel.eventLoop.makePromise(of: Parts?.self)
            let first = FirstRequestHandler(
                takeover: takeover,
                refused: { head, refusal in
                    refusals.refused(
                        RefusedRequest(
                            method: head.method.rawValue, target: head.uri, status: Int(refusal.status.code), reason: refusal.reason,
                            peer: peer))
                },
                serve: { parts.succeed(try Self.serve(channel, logger)) },
                leave: {
                    // What comes from here on is no request's head.
                    for handler in counting { pipeline.removeHandler(handler, promise: nil) }
                    parts.succeed(nil)
                })
            try pipeline.addHandler(first)
            return Value(channel: channel, parts: parts.futureResult)
        }
    }

    /// Puts the coders into the pipeline, with what counts the bytes of heads around the decoder, which is answered.
    private func addCoders(to pipeline: ChannelPipeline.SynchronousOperations) throws -> [any RemovableChannelHandler] {
        guard let heads else {
            try RequestCoders(limits: limits).add(to: pipeline)
            return []
        }
        let bytes = HeadBytesHandler(heads, headerBytesMax: limits.headerBytesMax)
        let parts = HeadPartsHandler(bytes)
        try pipeline.addHandler(bytes)
        try RequestCoders(limits: limits).add(to: pipeline)
        try pipeline.addHandler(parts)
        return [bytes, parts]
    }

    /// Puts behind the coders what Hummingbird needs.
    private static func serve(_ channel: any Channel, _ logger: Logger) throws -> Parts {
        try channel.pipeline.syncOperations.addHandlers(
            HTTP1ToHTTPServerCodec(secure: false),
            // For the end of the listener only: it lets requests that have begun finish.
            HTTPConnectionStateHandler(idleTimeout: nil, logger: logger))
        return try NIOAsyncChannel(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }

    package func handle(value: Value, logger: Logger) async {
        guard let parts = try? await value.parts.get() else { return }
        await handleHTTP(asyncChannel: parts, logger: logger)
    }
}
