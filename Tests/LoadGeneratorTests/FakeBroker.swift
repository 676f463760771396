import NIOCore
import NIOPosix
import Testing

/// A broker that relays QoS 0 messages on one event loop, and does one thing wrong when it is told to.
final class FakeBroker: Sendable {
    enum Fault: Sendable {
        case none
        /// Refuses every CONNECT with this return code.
        case refuses(UInt8)
        /// Does with every 100th message what is said.
        case drops, repeats, swaps, corrupts
        /// Relays nothing.
        case isSilent
        /// Closes a publisher's connection at its 100th message.
        case hangsUp
    }

    let port: Int
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel

    init(_ fault: Fault) async throws {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let router = try await loop.submit { NIOLoopBound(FakeRouter(fault), eventLoop: loop) }.get()
        channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FakeSession(router: router.value))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = try #require(channel.localAddress?.port)
    }

    func stop() async throws {
        try await channel.close()
        try await group.shutdownGracefully()
    }
}

/// Who is subscribed to what, and what goes wrong next.
///
/// Lives on the fake broker's event loop.
private final class FakeRouter {
    let fault: FakeBroker.Fault
    private var subscribers: [[UInt8]: [FakeSession]] = [:]
    private var count = 0
    private var held: [UInt8]?

    init(_ fault: FakeBroker.Fault) {
        self.fault = fault
    }

    func subscribe(_ session: FakeSession, topic: [UInt8]) { subscribers[topic, default: []].append(session) }

    /// Answers false when the publisher is to be thrown out.
    func publish(_ packet: [UInt8], topic: [UInt8]) -> Bool {
        count += 1
        var outgoing = [packet]
        if count.isMultiple(of: 100) {
            switch fault {
            case .none, .refuses, .isSilent: break
            case .drops: outgoing = []
            case .repeats: outgoing = [packet, packet]
            case .swaps: (held, outgoing) = (packet, [])
            case .corrupts: outgoing[0][packet.count - 1] ^= 0x55
            case .hangsUp: return false
            }
        } else if let late = held {
            (held, outgoing) = (nil, [packet, late])
        }
        if case .isSilent = fault { return true }
        for session in subscribers[topic] ?? [] {
            for packet in outgoing { session.send(packet) }
        }
        return true
    }
}

/// One client of the fake broker: reads its packets one by one.
private final class FakeSession: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let router: FakeRouter
    private var received = ByteBuffer()
    private var isOpen = false
    private var context: ChannelHandlerContext?

    init(router: FakeRouter) {
        self.router = router
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func send(_ packet: [UInt8]) { context?.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: packet)), promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        received.writeBuffer(&buffer)
        guard isOpen || received.getInteger(at: received.readerIndex, as: UInt8.self) == 0x10 else {
            return context.close(promise: nil)  // not a CONNECT: a TLS client's first bytes
        }
        isOpen = true
        // Packets of the tests are shorter than 128 bytes, so that their length is one byte.
        while let length: UInt8 = received.getInteger(at: received.readerIndex + 1),
            let packet = received.readBytes(length: 2 + Int(length))
        {
            receive(packet, context: context)
        }
    }

    private func receive(_ packet: [UInt8], context: ChannelHandlerContext) {
        switch packet[0] >> 4 {
        case 1:
            if case .refuses(let code) = router.fault { send([0x20, 2, 0, code]) } else { send([0x20, 2, 0, 0]) }
        case 3:
            let topic = Array(packet[4..<(4 + Int(packet[3]))])
            if !router.publish(packet, topic: topic) { context.close(promise: nil) }
        case 8:
            router.subscribe(self, topic: Array(packet[6..<(packet.count - 1)]))
            send([0x90, 3, packet[2], packet[3], packet[packet.count - 1]])
        case 12: send([0xD0, 0])
        default: break
        }
    }
}
