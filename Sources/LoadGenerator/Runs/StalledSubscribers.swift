import NIOCore

/// Subscribers that subscribe like the others and then read nothing: what a broker must keep from harming those.
///
/// What they are sent is in no figure.
struct StalledSubscribers {
    /// Bytes that a stalled socket takes: the kernel would take megabytes before the broker noticed anything, a device takes little.
    static let receiveBytes: ChannelOptions.Types.SocketOption.Value = 4_096

    private var channels: [any Channel] = []

    /// Opens them one after the other, and stops reading from each.
    mutating func open(_ count: Int, topology: Topology, parameters: LoadParameters, dialer: Dialer, on group: any EventLoopGroup)
        async throws
    {
        for number in 0..<count {
            let eventLoop = group.next()
            let request = SessionRequest(
                clientID: topology.clientID("x", number),
                subscribe: RawPackets.subscribe(
                    filter: topology.filter(ofSubscriber: 0), qos: parameters.qos, version: parameters.version),
                source: topology.subscribers + topology.publishers + number)
            let channel = try await eventLoop.flatSubmit { dialer.open(request, successor: nil, on: eventLoop) }.get().channel
            try await channel.setOption(.socketOption(.so_rcvbuf), value: Self.receiveBytes).get()
            try await channel.setOption(.autoRead, value: false).get()
            channels.append(channel)
        }
    }

    func close() { for channel in channels { channel.close(promise: nil) } }
}
