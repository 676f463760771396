package import NIOCore
package import NIOHTTP1
import Synchronization

/// What all connections of a listener keep of requests whose heads are not complete: bytes of anybody who can connect.
///
/// The first of each connection are not counted, so that requests of the usual size find room whatever others keep.
package final class UnfinishedHeads: Sendable {
    /// How much may be kept in all, and what that is called in the configuration.
    package struct Limit: Sendable, Equatable {
        package var bytesMax: Int
        package var name: String

        package init(bytesMax: Int, name: String) {
            self.bytesMax = bytesMax
            self.name = name
        }
    }

    /// There is no room for more of a head.
    struct Full: Error {
        let limit: Limit

        var refusal: HTTPRefusal {
            HTTPRefusal(.serviceUnavailable, "there is no room for more of the request's head (\(limit.name))")
        }
    }

    /// Bytes of each connection that are not counted.
    private static let bytesAlways = 1_024

    let limit: Limit
    private let bytes = Atomic<Int>(0)

    package init(_ limit: Limit) {
        self.limit = limit
    }

    /// Counts what a connection keeps instead of what was counted of it before; answers false when there is no room for more.
    func keep(_ kept: Int, counted: inout Int) -> Bool {
        let beyond = max(0, kept - Self.bytesAlways)
        guard beyond != counted else { return true }
        let hasGrown = beyond > counted
        let all = bytes.wrappingAdd(beyond - counted, ordering: .relaxed).newValue
        counted = beyond
        return !hasGrown || all <= limit.bytesMax
    }
}

/// Counts what one connection keeps of a head, by the bytes that come and the parts that become of them.
///
/// Stands before HTTP's decoder, and ``HeadPartsHandler`` behind it. Lives on the channel's event loop; not Sendable.
package final class HeadBytesHandler: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer

    /// Said once of a head of which bytes have come, and not all.
    struct HeadBegan {}

    private let heads: UnfinishedHeads
    /// What the decoder may keep: the fields that it has read, and as much that it could not read yet.
    private let keptMax: Int
    /// Bytes that came and of which no part has become yet.
    private var unread = 0
    private var lastRead = 0
    private var counted = 0
    private var isReadingHead = true
    private var isChunked = false
    private var isFull = false
    /// Whether a part became of the bytes that came last.
    private var hasReadPart = false
    private var hasToldOfHead = false

    package init(_ heads: UnfinishedHeads, headerBytesMax: Int) {
        self.heads = heads
        keptMax = headerBytesMax <= .max / 2 ? headerBytesMax * 2 : .max
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What still comes is dropped: the decoder would keep it.
        guard !isFull else { return }
        lastRead = unwrapInboundIn(data).readableBytes
        unread += lastRead
        hasReadPart = false
        context.fireChannelRead(data)
        // What comes behind a request in the same bytes is left to the next ones: it counts as silence, as between requests.
        if isReadingHead, !hasReadPart, !hasToldOfHead {
            hasToldOfHead = true
            context.fireUserInboundEventTriggered(HeadBegan())
        }
        guard !heads.keep(isReadingHead ? min(unread, keptMax) : 0, counted: &counted) else { return }
        isFull = true
        context.fireErrorCaught(UnfinishedHeads.Full(limit: heads.limit))
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        _ = heads.keep(0, counted: &counted)
    }

    // MARK: What the decoder made of it

    /// A part has been read; its bytes are not kept here any more.
    fileprivate func read(_ part: HTTPServerRequestPart) {
        hasReadPart = true
        switch part {
        case .head(let head):
            hasToldOfHead = false
            isReadingHead = false
            isChunked = head.headers.contains(name: "transfer-encoding")
            took(Self.bytes(of: head))
        case .body(let buffer):
            // A chunk has its length before it, in hexadecimal, and two ends of lines.
            took(buffer.readableBytes + (isChunked ? String(buffer.readableBytes, radix: 16).utf8.count + 4 : 0))
        case .end:
            if isChunked { took(5) }
            isReadingHead = true
            unread = min(unread, lastRead)
        }
    }

    private func took(_ bytes: Int) { unread = max(0, unread - bytes) }

    /// As it came, but for blanks that mean nothing.
    private static func bytes(of head: HTTPRequestHead) -> Int {
        let line = head.method.rawValue.utf8.count + head.uri.utf8.count + " ".utf8.count + " HTTP/1.1\r\n".utf8.count
        return head.headers.reduce(line + 2) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
    }
}

/// Tells ``HeadBytesHandler`` what the decoder has read.
package final class HeadPartsHandler: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPServerRequestPart
    package typealias InboundOut = HTTPServerRequestPart

    private let bytes: HeadBytesHandler

    package init(_ bytes: HeadBytesHandler) {
        self.bytes = bytes
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes.read(unwrapInboundIn(data))
        context.fireChannelRead(data)
    }
}
