import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HTTPExchange

@Suite struct HeadBytesTests {
    /// Notes each head that has begun.
    private final class Beginnings: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        var count = 0

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is HeadBytesHandler.HeadBegan { count += 1 }
        }
    }

    @Test(
        "A head is told of once, when bytes of it have come and not all",
        arguments: ["", "POST / HTTP/1.1\r\nHost:  x\r\nContent-Length: 1\r\n\r\nb"])
    func beginnings(before: String) throws {
        let channel = EmbeddedChannel()
        let bytes = HeadBytesHandler(UnfinishedHeads(.init(bytesMax: 1_000, name: "max")), headerBytesMax: 1_000)
        let beginnings = Beginnings()
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes))
        try channel.pipeline.syncOperations.addHandlers([bytes, decoder, HeadPartsHandler(bytes), beginnings])
        func receive(_ text: String) throws -> Int {
            try channel.writeInbound(ByteBuffer(string: text))
            return beginnings.count
        }
        if !before.isEmpty { #expect(try receive(before) == 0) }
        #expect(try receive("GET / HTTP/1.1\r\n") == 1)
        #expect(try receive("Host: x\r\n") == 1)
        #expect(try receive("\r\n") == 1)
        // Whole requests begin nothing, nor do bodies in pieces.
        #expect(try receive("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n") == 1)
        #expect(try receive("b") == 1)
        #expect(try receive("b") == 1)
        #expect(try receive("G") == 2)
        _ = try? channel.finish()
    }
}
