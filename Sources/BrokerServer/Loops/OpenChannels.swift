import BrokerCore
import NIOCore

/// The accepted channels of one event loop, from accept to close, so that a broker that stops can wait for them.
final class OpenChannels {
    private let eventLoop: any EventLoop
    private var channels: [ObjectIdentifier: Entry] = [:]
    private var isClosing = false
    private var emptied: EventLoopPromise<Void>?

    private struct Entry {
        let channel: any Channel
        /// Where it was let in, if it speaks TLS and was.
        var endpoint: CurrentEndpoint?
        /// What its client's certificate was believed by; TLS keeps the certificate itself.
        var intermediates: [[UInt8]] = []
    }

    private let admission: Admission

    init(eventLoop: any EventLoop, admission: Admission) { (self.eventLoop, self.admission) = (eventLoop, admission) }

    /// Takes a channel with its place among the connections, which is given back when it closes.
    ///
    /// Answers false when the broker is stopping: then the channel is not to be served, and the place is given back at once.
    func add(_ channel: any Channel) -> Bool {
        if isClosing {
            admission.leavePlace()
            return false
        }
        let key = ObjectIdentifier(channel)
        channels[key] = Entry(channel: channel)
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.remove(key) }
        return true
    }

    /// Notes of a channel by what its client was let in.
    func note(intermediates: [[UInt8]], of channel: any Channel, on endpoint: CurrentEndpoint) {
        channels[ObjectIdentifier(channel)]?.endpoint = endpoint
        channels[ObjectIdentifier(channel)]?.intermediates = intermediates
    }

    /// Those whose clients were let in on the listener of this endpoint.
    func served(on endpoint: CurrentEndpoint) -> [any Channel] {
        channels.values.filter { $0.endpoint === endpoint }.map(\.channel)
    }

    /// What the channel's client proved itself by; `nil` when it has gone.
    func proof(of channel: any Channel) -> ClientProof? {
        guard let entry = channels[ObjectIdentifier(channel)] else { return nil }
        do {
            return ClientProof(leaf: try HandshakeGate.leaf(of: channel), intermediates: entry.intermediates)
        } catch {
            return nil  // TLS is being taken down
        }
    }

    func holds(_ channel: any Channel) -> Bool { channels[ObjectIdentifier(channel)] != nil }

    private func remove(_ key: ObjectIdentifier) {
        channels[key] = nil
        admission.leavePlace()
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
        for channel in channels.values.map(\.channel) where isUnserved(channel) { channel.close(promise: nil) }
        return promise.futureResult
    }

    private func cutOffAll() {
        for channel in channels.values.map(\.channel) { channel.cutOff() }
    }
}
