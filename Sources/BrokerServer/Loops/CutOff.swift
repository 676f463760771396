import NIOCore

extension Channel {
    /// Closes the socket at once, past whatever in the pipeline would say goodbye first and wait for the peer's.
    ///
    /// `close(promise:)` begins a goodbye where TLS or WebSocket have said none yet, as with a client that takes no bytes.
    func cutOff() {
        eventLoop.assertInEventLoop()
        _channelCore.close0(error: ChannelError.ioOnClosedChannel, mode: .all, promise: nil)
    }
}
