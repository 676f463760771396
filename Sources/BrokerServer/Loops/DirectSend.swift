import Glibc
import NIOCore

/// Sends on a plain TCP socket at once, past the channel's queue of pending writes (record 0006).
///
/// What a broker sends is mostly small and mostly taken by the kernel whole. NIO's way for it, a pending write with its promise, its
/// vector of buffers and its bookkeeping of writability, then costs more than the rest of the message's way. Only what the socket does
/// not take goes there, and with it everything that follows until the queue is empty again: order is kept by whoever calls.
struct DirectSend {
    /// What gives the socket away, and refuses when it is closed.
    ///
    /// `ChannelPipeline.SynchronousOperations.withUnsafeTransportIfAvailable(of:_:)` looks it up in each call, by a cast to a parameterized
    /// protocol that was seen at the top of the profile, beside the kernel's own work. So it is made once per connection.
    private let core: any NIOTransportAccessibleChannelCore<NIOBSDSocket.Handle>

    private static let sendFlags = Int32(truncatingIfNeeded: MSG_DONTWAIT) | Int32(truncatingIfNeeded: MSG_NOSIGNAL)
    private static let continuedFlag = Int32(truncatingIfNeeded: MSG_MORE)

    /// `nil` for a channel that is no socket.
    init?(_ channel: any Channel) {
        guard let core = channel._channelCore as? any NIOTransportAccessibleChannelCore<NIOBSDSocket.Handle> else { return nil }
        self.core = core
    }

    /// Hands the socket what it takes without waiting, and leaves the rest in `bytes`.
    ///
    /// An error of the socket leaves everything: the channel meets it too, when it is given the rest, and closes. What `isContinued` may
    /// share a segment with what follows at once.
    func send(_ bytes: inout ByteBuffer, isContinued: Bool) {
        let flags = isContinued ? Self.sendFlags | Self.continuedFlag : Self.sendFlags
        let sent = try? core.withUnsafeTransport { socket in
            // The socket is the channel's own and open; the bytes are read during the call only.
            unsafe bytes.withUnsafeReadableBytes { unsafe Glibc.send(socket, $0.baseAddress, $0.count, flags) }
        }
        if let sent, sent > 0 { bytes.moveReaderIndex(forwardBy: sent) }
    }
}
