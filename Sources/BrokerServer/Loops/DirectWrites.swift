import NIOCore

/// The order of what goes out on one plain socket, part of it past the channel's queue (record 0006).
///
/// Whoever has it writes to the channel only through it. What the socket takes at once never waits; what it does not take goes to the
/// channel, and with it everything that follows until the channel has written all of it.
struct DirectWrites {
    /// Found for the second send: who only connects and leaves is not worth the search.
    private var socket: DirectSend?
    private var hasSent = false
    /// Writes that the channel has not handed to its socket yet: while there are any, nothing may be sent past them.
    private var waiting = 0

    var isWaiting: Bool { waiting > 0 }

    /// Sends what the socket takes now; answers whether that was all.
    ///
    /// The rest, if there is one, stays in `bytes`, for the channel: see ``wait()``. What `isContinued` may share a segment with what
    /// follows in this turn.
    mutating func send(_ bytes: inout ByteBuffer, on channel: any Channel, isContinued: Bool = false) -> Bool {
        if isWaiting { return false }
        if socket == nil, hasSent { socket = DirectSend(channel) }
        hasSent = true
        if bytes.readableBytes == 0 { return true }
        guard let socket else { return false }
        socket.send(&bytes, isContinued: isContinued)
        if bytes.readableBytes == 0 { return true }
        // In storage of its own: other clients may share these bytes, and they may wait here for long.
        bytes = ByteBuffer(bytes: bytes.readableBytesView)
        return false
    }

    /// The next write to the channel waits there until ``written()``.
    mutating func wait() { waiting += 1 }

    /// The channel has written, or dropped, what a ``wait()`` announced.
    mutating func written() { waiting -= 1 }
}
