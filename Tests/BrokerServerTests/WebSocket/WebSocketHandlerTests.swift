import BrokerCore
import CremaTesting
import NIOCore
import NIOEmbedded
import Testing

@testable import BrokerServer

/// What needs a socket that takes nothing, which an embedded channel is.
@Suite struct WebSocketHandlerTests {
    private func makeChannel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: WebSocketHandler(frameBytesMax: 1 << 20, isTLS: false))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    private func end(_ channel: EmbeddedChannel) {
        channel.close(promise: nil)
        channel.embeddedEventLoop.advanceTime(by: .seconds(MQTTConnectionHandler.lingerSecondsMax))
    }

    @Test func aPeerThatReadsNoAnswersHasOneWaitingPong() throws {
        let channel = try makeChannel()
        channel.isWritable = false
        for number in 0..<1_000 {
            try channel.writeInbound(ByteBuffer(bytes: WebSocketBytes.frame(WebSocketBytes.ping, [UInt8(number % 251)])))
        }
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(bytes: [0x8A, 1, UInt8(999 % 251)]))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        end(channel)
    }

    @Test func theAnswersToOneReadLeaveTogether() throws {
        let channel = try makeChannel()
        let pings = (0..<1_000).flatMap { WebSocketBytes.frame(WebSocketBytes.ping, [UInt8($0 % 251)]) }
        try channel.writeInbound(ByteBuffer(bytes: pings))
        let pongs: [UInt8] = (0..<1_000).flatMap { [0x8A, 1, UInt8($0 % 251)] as [UInt8] }
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(bytes: pongs))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        end(channel)
    }

    @Test func aLargePayloadIsSentWhereItLies() throws {
        let channel = try makeChannel()
        let payload = ByteBuffer(bytes: Array(repeating: 7, count: 5_000))
        try channel.writeOutbound(payload)
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(bytes: [0x82, 126, 0x13, 0x88]))
        let sent = try #require(try channel.readOutbound(as: ByteBuffer.self))
        #expect(sent == payload && sent.storageCapacity == payload.storageCapacity)
        end(channel)
    }

    @Test func theBrokersCloseWaitsForTheClientsButNotForEver() throws {
        let channel = try makeChannel()
        let closed = channel.close()
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(bytes: [0x88, 2, 3, 0xE8]))
        #expect(channel.isActive)
        try channel.writeInbound(ByteBuffer(bytes: WebSocketBytes.frame(WebSocketBytes.binary, [1])))
        #expect(try channel.readInbound(as: ByteBuffer.self) == nil)
        channel.embeddedEventLoop.advanceTime(by: .seconds(MQTTConnectionHandler.lingerSecondsMax))
        #expect(!channel.isActive)
        try closed.wait()
    }

    @Test func aSecondCloseIsAtOnce() throws {
        let channel = try makeChannel()
        channel.close(promise: nil)
        #expect(channel.isActive)
        channel.close(promise: nil)
        #expect(!channel.isActive)
    }

    @Test("A client that takes no goodbye is cut off when the time to drain is over, and not waited for any longer")
    func theDeadlineOfADrainIsFinal() throws {
        let channel = try makeChannel()
        let loop = channel.embeddedEventLoop
        let channels = OpenChannels(eventLoop: loop, admission: Admission(limits: BrokerLimits()))
        #expect(channels.add(channel))
        let drained = channels.close(cuttingOff: { _ in false }, deadline: loop.now + .seconds(1))
        loop.advanceTime(by: .milliseconds(999))
        #expect(channel.isActive)
        loop.advanceTime(by: .milliseconds(1))
        #expect(!channel.isActive)
        try drained.wait()
    }

    /// Nothing of a large frame is kept: what came of it is passed on.
    @Test func payloadIsPassedOnBeforeItsFrameEnds() throws {
        let channel = try makeChannel()
        let frame = WebSocketBytes.frame(WebSocketBytes.binary, [1, 2, 3], declaring: 1 << 20)
        try channel.writeInbound(ByteBuffer(bytes: frame))
        #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(bytes: [1, 2, 3]))
        end(channel)
    }

    @Test("Threat 17: a frame's header may come in pieces as well as its payload", arguments: [0, 1, 125, 126, 70_000])
    func drip(length: Int) throws {
        let channel = try makeChannel()
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let frame = WebSocketBytes.frame(WebSocketBytes.binary, payload)
        var received: [UInt8] = []
        // The header byte by byte, the payload in odd pieces.
        let header = frame.count - length
        let pieces =
            (0..<header).map { frame[$0..<$0 + 1] }
            + stride(from: header, to: frame.count, by: 999).map { frame[$0..<min(frame.count, $0 + 999)] }
        for piece in pieces + [WebSocketBytes.frame(WebSocketBytes.binary, [1, 2])[...]] {
            try channel.writeInbound(ByteBuffer(bytes: piece))
            while let bytes = try channel.readInbound(as: ByteBuffer.self) { received += bytes.readableBytesView }
        }
        #expect(received == payload + [1, 2])
        end(channel)
    }

    @Test("Packets that leave together are a frame each, because some clients wait for ever for the second packet of a frame")
    func everyPacketIsAFrame() throws {
        let channel = try makeChannel()
        let publish: [UInt8] = [0x30, 0x84, 0x01, 0, 1, 0x74] + [UInt8](repeating: 0x78, count: 129)
        try channel.writeOutbound(ByteBuffer(bytes: [0xD0, 0] + publish + [0x40, 2, 0, 1]))
        let sent = try #require(try channel.readOutbound(as: ByteBuffer.self))
        #expect(Array(sent.readableBytesView) == [0x82, 2, 0xD0, 0, 0x82, 126, 0, 135] + publish + [0x82, 4, 0x40, 2, 0, 1])
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        end(channel)
    }

    @Test("So are the short answers of the versions before MQTT 5", arguments: [[0x20, 2, 0, 0], [0x90, 3, 0, 1, 0], [0xB0, 2, 0, 1]])
    func everyShortAnswerIsAFrame(answer: [UInt8]) throws {
        let channel = try makeChannel()
        let publish: [UInt8] = [0x30, 4, 0, 1, 0x74, 0x78]
        try channel.writeOutbound(ByteBuffer(bytes: answer + publish))
        let sent = try #require(try channel.readOutbound(as: ByteBuffer.self))
        #expect(Array(sent.readableBytesView) == [0x82, UInt8(answer.count)] + answer + [0x82, 6] + publish)
        end(channel)
    }

    @Test func manyFramesOfOneReadArePassedOnTogether() throws {
        let channel = try makeChannel()
        let frames = (0..<200).flatMap { WebSocketBytes.frame(WebSocketBytes.binary, [UInt8($0)]) }
        try channel.writeInbound(ByteBuffer(bytes: frames))
        #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(bytes: 0..<200))
        #expect(try channel.readInbound(as: ByteBuffer.self) == nil)
        end(channel)
    }
}
