import BrokerCore
import Queues

/// Traces of messages, which queues carry as AWS X-Ray writes them.
extension QueuesService {
    /// As a part of the trace of the request at work, unless its sender has named one.
    static func traced(_ message: NewQueueMessage) -> NewQueueMessage {
        guard message.traceHeader == nil, let trace = TraceContext.current else { return message }
        var message = message
        message.traceHeader = trace.parent.xRayText
        return message
    }

    /// Tells of each message that belongs to a trace how long it was in the queue.
    func tellReceived(_ messages: [ReceivedMessage], from queue: String) {
        guard let spans else { return }
        for message in messages {
            guard let above = message.traceHeader.flatMap(TraceParent.init(xRay:)) else { continue }
            TraceContext(below: above, recorder: spans).ended(
                "receive", .consumer, below: above, began: Self.nanoseconds(ofMilliseconds: message.sentMilliseconds),
                attributes: [
                    ("messaging.system", "aws_sqs"), ("messaging.destination.name", queue),
                    ("crema.receive_count", "\(message.receiveCount)"),
                ])
        }
    }

    /// What was read from a disk may be any number.
    private static func nanoseconds(ofMilliseconds milliseconds: Int64) -> Int64 {
        let (product, overflows) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return overflows ? .max : product
    }
}
