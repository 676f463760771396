import BrokerCore
import HTTPTypes
package import HummingbirdCore
package import Logging
package import NIOCore
import NIOHTTP1
package import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// What a connection that an HTTP listener accepted becomes.
///
/// As Hummingbird's own HTTP/1 channel, with ``RequestExchangeHandler`` behind the coders: it ends connections, and keeps time.
package struct HTTPConnection: HTTPChannelHandler {
    package typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    package let responder: Responder
    let limits: HTTPListenerLimits
    let refusals: HTTPRefusals

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var decoderLimits = NIOHTTPDecoderLimitConfiguration()
            decoderLimits.maxHeaderFieldSize = limits.headerBytesMax
            decoderLimits.maxHeaderListSize = limits.headerBytesMax
            decoderLimits.maxHeaderFieldCount = limits.headersMax
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: decoderLimits)
            try pipeline.addHandlers(
                RequestExchangeHandler(limits: limits, refusals: refusals, peer: PeerText.of(channel.remoteAddress)),
                HTTP1ToHTTPServerCodec(secure: false),
                // For the end of the listener only: it lets requests that have begun finish.
                HTTPConnectionStateHandler(idleTimeout: nil, logger: logger))
            return try NIOAsyncChannel(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    package func handle(value: Value, logger: Logger) async {
        await handleHTTP(asyncChannel: value, logger: logger)
    }
}
