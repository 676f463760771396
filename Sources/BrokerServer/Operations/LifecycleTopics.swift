import BrokerCore
import Glibc
import MQTTCodec

/// What clients do as messages on `$aws/events/…`, in the words of AWS IoT's lifecycle events.
struct LifecycleTopics: Sendable {
    /// Tells the sessions of this process from those of others.
    let processID: UInt64
    /// When the process began, in seconds since 1970: version numbers go on rising after a restart.
    let startSeconds: Int64

    init() {
        processID = UInt64.random(in: .min ... .max)
        startSeconds = Self.nowMilliseconds / 1_000
    }

    init(processID: UInt64, startSeconds: Int64) {
        (self.processID, self.startSeconds) = (processID, startSeconds)
    }

    static var nowMilliseconds: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    func message(_ event: LifecycleEvent, atMilliseconds time: Int64) -> Message {
        let (kind, name) =
            switch event.kind {
            case .connected: ("presence", "connected")
            case .disconnected: ("presence", "disconnected")
            case .subscribed: ("subscriptions", "subscribed")
            case .unsubscribed: ("subscriptions", "unsubscribed")
            }
        return Message(
            topic: "$aws/events/\(kind)/\(name)/\(event.clientID)", payload: document(event, name, time), qos: .atLeastOnce)
    }

    private func document(_ event: LifecycleEvent, _ name: String, _ time: Int64) -> [UInt8] {
        var text = QuotedText()
        text.begin()
        text.member("clientId", event.clientID)
        text.member("timestamp", time)
        text.member("eventType", name)
        text.member("sessionIdentifier", sessionIdentifier(event.attempt))
        text.member("principalIdentifier", event.principal ?? "anonymous")
        switch event.kind {
        case .connected: text.member("ipAddress", PeerText.address(of: event.peer) ?? "unknown")
        case .disconnected(let reason):
            text.member("clientInitiatedDisconnect", reason == .disconnected)
            text.member("disconnectReason", reason.lifecycleName)
        case .subscribed(let filters), .unsubscribed(let filters):
            text.member("topics", filters)
            return text.end()
        }
        text.member("versionNumber", versionNumber(event.attempt))
        return text.end()
    }

    /// Rises from connection to connection; a client of JavaScript reads it to the last digit.
    private func versionNumber(_ attempt: UInt64) -> Int64 { startSeconds &* 1_000_000 &+ Int64(truncatingIfNeeded: attempt) }

    /// The form of a UUID.
    private func sessionIdentifier(_ attempt: UInt64) -> String {
        let digits = Self.hexadecimal(processID) + Self.hexadecimal(attempt)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(digit)
        }
        return text
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

extension CloseReason {
    /// AWS IoT's name for why a client went.
    fileprivate var lifecycleName: String {
        switch self {
        case .disconnected: "CLIENT_INITIATED_DISCONNECT"
        case .closedByPeer, .transportError: "CONNECTION_LOST"
        case .malformed, .protocolViolation: "CLIENT_ERROR"
        case .keepAliveTimedOut: "MQTT_KEEP_ALIVE_TIMEOUT"
        case .sessionTakenOver: "DUPLICATE_CLIENTID"
        case .limitExceeded: "THROTTLED"
        case .notPermitted: "FORBIDDEN_ACCESS"
        case .refused, .connectTimedOut: "AUTH_ERROR"
        case .proofExpired: "CUSTOMAUTH_TTL_EXPIRATION"
        case .serverShuttingDown, .kicked: "SERVER_INITIATED_DISCONNECT"
        }
    }
}
