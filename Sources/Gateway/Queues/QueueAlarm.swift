package import EventBus
package import NIOCore
package import Queues

/// Tells the queues what time it is, for those who wait for messages; by a timer of an event loop, and only while somebody waits.
package enum QueueAlarm {
    package static func set(for queues: SharedQueues, on eventLoop: any EventLoop, source: EventSource = .system) {
        queues.setAlarm { [weak queues] time in
            let delay = max(0, time - source.nowMilliseconds())
            eventLoop.scheduleTask(in: .milliseconds(delay)) { [weak queues] in
                // The timer and the clock that the queues go by may differ; for the queues the time has come.
                queues?.advance(to: max(time, source.nowMilliseconds()))
            }
        }
    }
}
