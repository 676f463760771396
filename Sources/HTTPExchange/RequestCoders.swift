package import NIOCore
package import NIOHTTP1

/// The HTTP/1 coders of one connection, with the limits of its listener.
package struct RequestCoders {
    package let encoder: HTTPResponseEncoder
    package let decoder: ByteToMessageHandler<HTTPRequestDecoder>

    /// Those that are in a pipeline already.
    package init(encoder: HTTPResponseEncoder, decoder: ByteToMessageHandler<HTTPRequestDecoder>) {
        self.encoder = encoder
        self.decoder = decoder
    }

    package init(limits: HTTPListenerLimits) {
        encoder = HTTPResponseEncoder()
        var decoderLimits = NIOHTTPDecoderLimitConfiguration()
        decoderLimits.maxHeaderFieldSize = limits.headerBytesMax
        decoderLimits.maxHeaderListSize = limits.headerBytesMax
        decoderLimits.maxHeaderFieldCount = limits.headersMax
        // The decoder knows no limit for the request line, nor for what comes behind a request for another protocol, which it keeps.
        decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: decoderLimits),
            maximumBufferSize: limits.headerBytesMax)
    }

    /// Puts the coders at the pipeline's end, and before them what tells whoever speaks another protocol.
    package func add(to pipeline: ChannelPipeline.SynchronousOperations) throws {
        try pipeline.addHandlers([FirstRequestByteHandler(), encoder, decoder])
    }
}
