import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPExchange

@Suite struct FirstRequestByteTests {
    @Test("Who speaks TLS or MQTT is told apart, and none of it is read as HTTP", arguments: [(UInt8(0x16), "TLS"), (0x10, "MQTT")])
    func foreign(first: UInt8, name: String) throws {
        let channel = EmbeddedChannel(handler: FirstRequestByteHandler())
        let error = #expect(throws: FirstRequestByteHandler.ForeignProtocol.self) {
            try channel.writeInbound(ByteBuffer(bytes: [first, 1, 2]))
        }
        #expect(error?.reason.contains(name) == true)
        try channel.writeInbound(ByteBuffer(string: "GET / HTTP/1.1\r\n"))
        #expect(try channel.readInbound(as: ByteBuffer.self) == nil)
    }

    @Test func everythingElseIsPassedOn() throws {
        let channel = EmbeddedChannel(handler: FirstRequestByteHandler())
        for bytes in [ByteBuffer(string: "G"), ByteBuffer(bytes: [0x16])] {
            try channel.writeInbound(bytes)
            #expect(try channel.readInbound(as: ByteBuffer.self) == bytes)
        }
        #expect(throws: (any Error).self) { try channel.pipeline.syncOperations.handler(type: FirstRequestByteHandler.self) }
    }
}
