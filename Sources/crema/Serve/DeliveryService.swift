import BrokerServer
import EventBus
import Logging
import NIOCore
import ServiceLifecycle

/// Keeps the time for deliveries that are tried again, and lets them finish at the shutdown.
struct DeliveryService: Service {
    /// How long deliveries may take to finish.
    private static let drainLimit = Duration.seconds(5)

    let pending: PendingDeliveries
    let broker: Broker
    let log: Logger

    func begin() {
        let eventLoop = broker.eventLoopGroup.next()
        pending.begin { [weak pending] time in
            let delay = max(0, time - EventSource.system.nowMilliseconds())
            eventLoop.scheduleTask(in: .milliseconds(delay)) { [weak pending] in pending?.advance(alarm: time) }
        } publish: { [broker] messages in
            Task { await broker.publish(messages) }
        }
    }

    func run() async throws {
        try? await gracefulShutdown()
        let (count, failed) = await pending.drain(within: Self.drainLimit)
        guard count > 0 else { return }
        log.notice("deliveries finished", metadata: ["pending": "\(count)", "deadLettered": "\(failed)"])
    }
}
