import BrokerServer
import EventBus
import ServiceLifecycle

/// Runs what events come from besides requests: scheduled rules when they are due, and replays.
///
/// Looks at the clock once a second at least, so that it follows a clock that is set, and a reload.
struct EventClockService: Service {
    /// Events of each replay that are put at once; requests come in between.
    private static let replayedAtOnce = 100
    private static let secondsMax: Int64 = 1
    /// Deliveries that wait anywhere; at more, replays wait.
    private static let pendingMax = 500

    let delivery: RuleDelivery
    let broker: Broker

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try await Task.sleep(for: .milliseconds(pause))
                await carryOut(delivery.engine.runSchedules())
                // What a slow target has not taken yet is not to be overrun by a replay: that would be dead letters.
                if delivery.engine.hasRunningReplays, delivery.pending.count < Self.pendingMax {
                    await carryOut(delivery.engine.runReplays(eventsMax: Self.replayedAtOnce))
                }
            }
        }
        try? await gracefulShutdown()
    }

    /// Milliseconds until there may be something to do.
    private var pause: Int64 {
        if delivery.engine.hasRunningReplays { return delivery.pending.count < Self.pendingMax ? 1 : 50 }
        guard let next = delivery.engine.nextScheduled else { return Self.secondsMax * 1_000 }
        return min(max(next - EventSource.system.nowMilliseconds(), 1), Self.secondsMax * 1_000)
    }

    private func carryOut(_ output: RuleOutput) async {
        let messages = delivery.carryOut(output)
        if !messages.isEmpty { await broker.publish(messages) }
    }
}
