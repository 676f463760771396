import NIOCore
import NIOEmbedded
import Testing

@testable import BrokerServer

/// Steps of handshakes have a part of an event loop's time, whatever their number.
@Suite struct HandshakePaceTests {
    /// A loop whose handshakes take as long as they say.
    private final class Site {
        let loop = EmbeddedEventLoop()
        var time = NIODeadline.uptimeNanoseconds(0)
        var made: [Int] = []
        private(set) lazy var pace = HandshakePace(eventLoop: loop) { self.time }

        func take(_ number: Int, milliseconds: Int64 = 1) {
            pace.take(
                Step { [unowned self] in
                    made.append(number)
                    time = time + .milliseconds(milliseconds)
                })
        }

        /// Nothing of the turn is left.
        func useUp() { take(0, milliseconds: 100) }

        func waitForTurn() { loop.advanceTime(by: HandshakePace.pause) }
    }

    private final class Step: HandshakePace.Waiting {
        let make: () -> Void
        init(_ make: @escaping () -> Void) { self.make = make }
        func proceed() { make() }
    }

    @Test func aTurnIsOverAfterItsTimeAndTheRestComesInOrder() {
        let site = Site()
        for number in 1...10 { site.take(number) }
        #expect(site.made == [1, 2, 3, 4])
        site.loop.run()  // what is due now: the sockets have not been looked at
        #expect(site.made == [1, 2, 3, 4])
        site.waitForTurn()
        #expect(site.made == Array(1...8))
        site.take(11)
        #expect(site.made == Array(1...8))
        site.waitForTurn()
        #expect(site.made == Array(1...11))
    }

    @Test func aStepMayTakeLongerThanATurnAndTheNextOneWaits() {
        let site = Site()
        site.take(1, milliseconds: 50)
        site.take(2, milliseconds: 50)
        site.take(3)
        #expect(site.made == [1])
        site.waitForTurn()
        #expect(site.made == [1, 2])
        site.waitForTurn()
        #expect(site.made == [1, 2, 3])
    }

    @Test func whoComesAloneNeverWaits() {
        let site = Site()
        for number in 1...20 {
            site.take(number, milliseconds: 3)
            #expect(site.made.last == number)
            site.waitForTurn()
        }
    }

    // MARK: The handler

    /// Counts how often the socket is asked for more.
    private final class Reads: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var count = 0

        func read(context: ChannelHandlerContext) {
            count += 1
            context.read()
        }
    }

    private func channel(_ site: Site) throws -> (EmbeddedChannel, PacedHandshakeHandler, Reads) {
        let (reads, paced) = (Reads(), PacedHandshakeHandler(pace: site.pace))
        let channel = EmbeddedChannel(handlers: [reads, paced], loop: site.loop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return (channel, paced, reads)
    }

    @Test func whatComesWaitsForTheTurnAndNothingMoreIsReadMeanwhile() throws {
        let site = Site()
        let (channel, _, reads) = try channel(site)
        site.useUp()
        try channel.writeInbound(ByteBuffer(string: "hello "))
        try channel.writeInbound(ByteBuffer(string: "again"))
        let readBefore = reads.count
        channel.read()
        #expect(try channel.readInbound(as: ByteBuffer.self) == nil)
        #expect(reads.count == readBefore)
        site.waitForTurn()
        #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(string: "hello again"))
        #expect(reads.count == readBefore + 1)
        channel.read()
        #expect(reads.count == readBefore + 2)
        _ = try channel.finish()
    }

    @Test func whatStillWaitsIsPassedOnByAHandlerThatLeaves() throws {
        let site = Site()
        let (channel, paced, _) = try channel(site)
        site.useUp()
        try channel.writeInbound(ByteBuffer(string: "last"))
        channel.pipeline.syncOperations.removeHandler(paced, promise: nil)
        site.loop.run()
        #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(string: "last"))
        _ = try channel.finish()
    }

    /// Takes another handler out with what it reads first, as the gate does when the handshake is complete.
    private final class Completing: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let leaving: PacedHandshakeHandler
        private(set) var readsCompleted = 0

        init(_ leaving: PacedHandshakeHandler) { self.leaving = leaving }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.pipeline.syncOperations.removeHandler(leaving, promise: nil)
        }

        func channelReadComplete(context: ChannelHandlerContext) { readsCompleted += 1 }
    }

    @Test func theReadThatWaitedIsAskedForAfterTheLastStep() throws {
        let site = Site()
        let (channel, paced, reads) = try channel(site)
        let completing = Completing(paced)
        try channel.pipeline.syncOperations.addHandler(completing)
        site.useUp()
        try channel.writeInbound(ByteBuffer(string: "finished"))
        let readBefore = reads.count
        channel.read()
        #expect(reads.count == readBefore)
        site.waitForTurn()
        #expect(throws: (any Error).self) { try channel.pipeline.syncOperations.context(handler: paced) }
        #expect(completing.readsCompleted == 1)
        #expect(reads.count == readBefore + 1)
        _ = try channel.finish()
    }

    @Test func noTurnIsTakenForAClientThatHasLeft() throws {
        let site = Site()
        let (channel, _, _) = try channel(site)
        site.useUp()
        try channel.writeInbound(ByteBuffer(string: "hello"))
        _ = try channel.finish()
        site.waitForTurn()
        #expect(try channel.readInbound(as: ByteBuffer.self) == nil)
    }
}
