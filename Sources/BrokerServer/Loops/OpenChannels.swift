import NIOCore

/// The accepted channels of one event loop, from accept to close, so that a broker that stops can wait for them.
final class OpenChannels {
    private let eventLoop: any EventLoop
    private var channels: [ObjectIdentifier: any Channel] = [:]
    private var isClosing = false
    private var emptied: EventLoopPromise<Void>?

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Answers false when the broker is stopping: then the channel is not to be served.
    func add(_ channel: any Channel) -> Bool {
        if isClosing { return false }
        let key = ObjectIdentifier(channel)
        channels[key] = channel
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.remove(key) }
        return true
    }

    private func remove(_ key: ObjectIdentifier) {
        channels[key] = nil
        if channels.isEmpty { finish() }
    }

    private func finish() {
        emptied?.succeed()
        emptied = nil
    }

    /// Closes those that `cuttingOff` picks; at the deadline cuts off whoever is still there.
    ///
    /// Called once.
    func close(cuttingOff isUnserved: (any Channel) -> Bool, deadline: NIODeadline) -> EventLoopFuture<Void> {
        isClosing = true
        if channels.isEmpty { return eventLoop.makeSucceededVoidFuture() }
        let promise = eventLoop.makePromise(of: Void.self)
        emptied = promise
        let last = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.cutOffAll() }
        promise.futureResult.whenComplete { _ in last.cancel() }
        for channel in Array(channels.values) where isUnserved(channel) { channel.close(promise: nil) }
        return promise.futureResult
    }

    private func cutOffAll() {
        for channel in Array(channels.values) { channel.cutOff() }
    }
}
