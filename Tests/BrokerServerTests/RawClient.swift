import Foundation
import NIOCore
import NIOPosix

/// Packets by hand: what is tested here is the way of the bytes, not their codec.
enum Packets {
    static func connect(_ clientID: String) -> [UInt8] {
        let id = Array(clientID.utf8)
        return [0x10, UInt8(12 + id.count), 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, UInt8(id.count)] + id
    }
    static let connack: [UInt8] = [0x20, 2, 0, 0]
    static let disconnect: [UInt8] = [0xE0, 0]

    static func subscribe(_ filter: String) -> [UInt8] {
        let name = Array(filter.utf8)
        return [0x82, UInt8(5 + name.count), 0, 1, 0, UInt8(name.count)] + name + [0]
    }
    static let suback: [UInt8] = [0x90, 3, 0, 1, 0]

    static func publish(_ topic: String, _ payload: String) -> [UInt8] {
        let name = Array(topic.utf8)
        let bytes = Array(payload.utf8)
        return [0x30, UInt8(2 + name.count + bytes.count), 0, UInt8(name.count)] + name + bytes
    }
}

extension Sequence<UInt8> {
    func holds(_ part: [UInt8]) -> Bool {
        Data(self).range(of: Data(part)) != nil
    }
}

/// A TCP client that sends and reads bytes.
struct RawClient {
    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private(set) var received: [UInt8] = []

    static func run(host: String = "127.0.0.1", port: Int, _ body: (inout RawClient) async throws -> Void) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
        try await channel.executeThenClose { inbound, outbound in
            var client = RawClient(outbound: outbound, inbound: inbound.makeAsyncIterator())
            try await body(&client)
        }
    }

    func send(_ bytes: [UInt8]) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

    /// Reads until what came holds these bytes; answers false when the broker closed before.
    mutating func receive(_ bytes: [UInt8]) async throws -> Bool {
        while !received.holds(bytes) {
            guard let more = try await inbound.next(isolation: nil) else { return false }
            received += more.readableBytesView
        }
        return true
    }

    /// Reads what comes next; answers with it.
    mutating func receiveMore() async throws -> [UInt8] {
        guard let more = try await inbound.next(isolation: nil) else { return [] }
        received += more.readableBytesView
        return Array(more.readableBytesView)
    }

    /// Reads until the broker closes.
    mutating func receiveAll() async throws -> [UInt8] {
        while let more = try await inbound.next(isolation: nil) { received += more.readableBytesView }
        return received
    }
}
