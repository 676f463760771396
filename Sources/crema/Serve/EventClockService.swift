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
    /// Milliseconds after which replays that wait for targets look again.
    private static let replayPause: Int64 = 50

    let delivery: RuleDelivery
    let broker: Broker

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var pace = ReplayPace(delivery.engine.limits)
            var pause = timeToSchedule
            while !Task.isCancelled {
                try await Task.sleep(for: .milliseconds(pause))
                await carryOut(delivery.engine.runSchedules())
                pause = timeToSchedule
                guard delivery.engine.hasRunningReplays else {
                    pace.end()
                    continue
                }
                // What a slow target has not taken yet is not to be overrun: that would be dead letters. A replay that is cancelled ends also then.
                let isAdmitted = pace.admits(pending: delivery.pending.count)
                await carryOut(delivery.engine.runReplays(eventsMax: isAdmitted ? Self.replayedAtOnce : 0))
                pause = min(pause, isAdmitted ? 1 : Self.replayPause)
            }
        }
        try? await gracefulShutdown()
    }

    /// Milliseconds until a rule may be due.
    private var timeToSchedule: Int64 {
        guard let next = delivery.engine.nextScheduled else { return Self.secondsMax * 1_000 }
        return min(max(next - EventSource.system.nowMilliseconds(), 1), Self.secondsMax * 1_000)
    }

    private func carryOut(_ output: RuleOutput) async {
        let messages = delivery.carryOut(output)
        if !messages.isEmpty { await broker.publish(messages) }
    }
}
