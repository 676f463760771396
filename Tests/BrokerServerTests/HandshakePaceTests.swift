import NIOCore
import NIOEmbedded
import Testing

@testable import BrokerServer

/// Steps of handshakes have a part of an event loop's time, whatever their number (threat 11).
@Suite struct HandshakePaceTests {
    /// A loop whose handshakes take as long as they say.
    private final class Site {
        let loop = EmbeddedEventLoop()
        var time = NIODeadline.uptimeNanoseconds(0)
        var made: [Int] = []
        private(set) lazy var pace = HandshakePace(eventLoop: loop) { self.time }

        func take(_ number: Int, milliseconds: Int64 = 1, hasBegun: Bool = false) {
            pace.take(
                Step(hasBegun: hasBegun) { [unowned self] in
                    made.append(number)
                    time = time + .milliseconds(milliseconds)
                })
        }

        /// Nothing of the turn is left.
        func useUp() { take(0, milliseconds: 100) }

        func waitForTurn() { loop.advanceTime(by: HandshakePace.pause) }
    }

    private final class Step: HandshakePace.Waiting {
        let hasBegun: Bool
        let make: () -> Void
        init(hasBegun: Bool, _ make: @escaping () -> Void) {
            self.hasBegun = hasBegun
            self.make = make
        }
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

    @Test func whoHasBegunGoesBeforeStrangers() {
        let site = Site()
        site.useUp()
        for number in 1...9 { site.take(number, hasBegun: number % 3 == 0) }
        site.waitForTurn()
        #expect(site.made == [0, 3, 6, 9, 1])
        site.take(10, hasBegun: true)
        site.waitForTurn()
        #expect(site.made.dropFirst(5) == [10, 2, 4, 5])
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
        paced.finish()
        site.loop.run()
        #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(string: "last"))
        _ = try channel.finish()
    }

    /// Ends the handshake in the middle of its step, as TLS does without a client's certificate, and on a resumed session.
    private final class Gate: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var paced: PacedHandshakeHandler?
        var completedReads = 0

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            paced?.finish()
            context.fireChannelRead(data)
        }

        func channelReadComplete(context: ChannelHandlerContext) { completedReads += 1 }
    }

    @Test func theSocketIsReadOnAfterAHandshakeThatEndedInItsLastStep() throws {
        let site = Site()
        let (channel, paced, reads) = try channel(site)
        let gate = Gate()
        gate.paced = paced
        try channel.pipeline.syncOperations.addHandler(gate)
        site.useUp()
        channel.pipeline.fireChannelRead(ByteBuffer(string: "finished"))
        channel.pipeline.fireChannelReadComplete()
        channel.read()
        #expect(reads.count == 0 && gate.completedReads == 0)
        site.waitForTurn()
        #expect(reads.count == 1 && gate.completedReads == 1)
        channel.read()
        #expect(reads.count == 2)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test func whatAClientSaidBeforeItLeftIsHeardIfItHasBegun() throws {
        let site = Site()
        let (channel, _, _) = try channel(site)
        try channel.writeInbound(ByteBuffer(string: "hello"))
        #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(string: "hello"))
        site.useUp()
        try channel.writeInbound(ByteBuffer(string: "goodbye"))
        _ = try channel.finish()
        #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(string: "goodbye"))
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
