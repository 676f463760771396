/// A token bucket of messages and one of bytes: a second's worth may come at once.
struct PublishRate {
    private var messages = 0.0
    private var bytes = 0.0
    private var last: Instant?

    /// Charges one message; answers the seconds until the client is even again, 0 while it is.
    mutating func charge(bytes size: Int, at now: Instant, messagesPerSecond: Int, bytesPerSecond: Int) -> Double {
        let (messageRate, byteRate) = (Double(messagesPerSecond), Double(bytesPerSecond))
        if let last {
            let passed = Double(now.nanoseconds - last.nanoseconds) / 1_000_000_000
            messages = min(messageRate, messages + passed * messageRate)
            bytes = min(byteRate, bytes + passed * byteRate)
        } else {
            (messages, bytes) = (messageRate, byteRate)
        }
        last = now
        messages -= 1
        bytes -= Double(size)
        return max(0, -messages / messageRate, -bytes / byteRate)
    }
}
