import BrokerServer
import EventBus
import Logging
import NIOCore
import NIOPosix
import OutboundHTTP
import ServiceLifecycle

/// Keeps the time for deliveries that are tried again, and lets them finish at the shutdown.
struct DeliveryService: Service {
    /// How long deliveries may take to finish.
    private static let drainLimit = Duration.seconds(5)

    private let pending: PendingDeliveries
    private let broker: Broker
    private let log: Logger
    private let lookup: HostLookup
    private let client: OutboundClient

    init(pending: PendingDeliveries, policy: OutboundPolicy, limits: DeliveryLimits, broker: Broker, log: Logger) {
        self.pending = pending
        self.broker = broker
        self.log = log
        let lookup = HostLookup()
        self.lookup = lookup
        // Not on the broker's loops: what MQTT clients wait for is not behind a TLS handshake with somebody else.
        client = OutboundClient(
            policy: policy, lookup: { host in try await lookup.addresses(of: host) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, functionSecondsMax: limits.lambdaSecondsMax)
    }

    func begin() {
        let eventLoop = broker.eventLoopGroup.next()
        pending.begin(
            alarm: { [weak pending] time in
                let delay = max(0, time - EventSource.system.steadyMilliseconds())
                eventLoop.scheduleTask(in: .milliseconds(delay)) { [weak pending] in pending?.advance(alarm: time) }
            }, door: client,
            publish: { [broker] messages, done in
                Task { done(await broker.publishOrDrop(messages)) }
            })
    }

    func run() async throws {
        try? await gracefulShutdown()
        let (count, failed, underWay) = await pending.drain(within: Self.drainLimit)
        lookup.shutDown()
        await client.shutDown()
        guard count > 0 else { return }
        log.notice(
            "deliveries finished",
            metadata: [
                "pending": "\(count)", "deadLettered": "\(failed)", "interrupted": "\(underWay)",
                "leftForNextStart": "\(pending.leftForNextStart)",
            ])
    }
}
