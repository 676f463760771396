import BrokerCore
import Logging
import MQTTCodec
import NIOCore

/// Writes what happens on one event loop to the log: static messages, the rest as metadata.
final class EventLog {
    private let logger: Logger
    private let eventLoop: any EventLoop
    private var window = LogWindow()

    init(logger: Logger, eventLoop: any EventLoop) {
        self.logger = logger
        self.eventLoop = eventLoop
    }

    func report(_ event: BrokerEvent) {
        switch event {
        case .connected(let clientID, let info, let principal, let userName, let cleanSession, let sessionPresent):
            guard logger.logLevel <= .info else { return }
            var metadata = Self.metadata(info, clientID: clientID)
            if let principal { metadata["principal"] = .string(LoggedText.escaping(principal)) }
            if let userName { metadata["user_name"] = .string(LoggedText.escaping(userName)) }
            metadata["clean_session"] = .string(cleanSession ? "true" : "false")
            metadata["session_present"] = .string(sessionPresent ? "true" : "false")
            logger.info("client connected", metadata: metadata)
        case .closed(let clientID, let info, let reason):
            closed(clientID, info, reason)
        case .takenOver(let clientID, let oldPeer, let newPeer):
            let metadata: Logger.Metadata = ["old_peer": "\(oldPeer)", "new_peer": "\(newPeer)"]
            warn("session taken over", subject: clientID, metadata, clientID: clientID)
        case .refused(let clientID, let info, let code, let text):
            var metadata = Self.metadata(info, clientID: clientID)
            metadata["reason_code"] = "\(code.name)"
            metadata["reason"] = .string(LoggedText.escaping(text))
            warn("client refused", subject: Self.subject(clientID, info.peer), metadata)
        case .publishDenied(let clientID, let topic, let text):
            let metadata: Logger.Metadata = [
                "topic": .string(LoggedText.escaping(topic)), "reason": .string(LoggedText.escaping(text)),
            ]
            warn("publish denied", subject: clientID, metadata, clientID: clientID)
        case .subscribeDenied(let clientID, let filter, let text):
            let metadata: Logger.Metadata = [
                "filter": .string(LoggedText.escaping(filter)), "reason": .string(LoggedText.escaping(text)),
            ]
            warn("subscription denied", subject: clientID, metadata, clientID: clientID)
        case .deliveryDenied(let clientID, let topic, let text):
            let metadata: Logger.Metadata = [
                "topic": .string(LoggedText.escaping(topic)), "reason": .string(LoggedText.escaping(text)),
            ]
            warn("delivery denied", subject: clientID, metadata, clientID: clientID)
        case .messagesDropped(let clientID, let reason, let count):
            warn("messages are dropped", subject: clientID, ["reason": "\(reason)", "count": "\(count)"], clientID: clientID)
        case .retainedFull(let topic):
            warn("message not retained", subject: "retained", ["topic": .string(LoggedText.escaping(topic))])
        case .lifecycle: break  // not for the log
        case .sessionExpired(let clientID, let queued):
            logger.info("session expired", metadata: ["client_id": .string(LoggedText.escaping(clientID)), "queued": "\(queued)"])
        }
    }

    private func closed(_ clientID: String?, _ info: ConnectionInfo, _ reason: CloseReason) {
        let isFault =
            switch reason {
            case .malformed, .protocolViolation, .limitExceeded, .notPermitted: true
            default: false
            }
        guard logger.logLevel <= (isFault ? .warning : .info) else { return }
        var metadata = Self.metadata(info, clientID: clientID)
        metadata["reason"] = .string(reason.name)
        metadata["detail"] = .string(LoggedText.escaping(reason.detail))
        if isFault {
            warn("connection closed", subject: Self.subject(clientID, info.peer), metadata)
        } else {
            logger.info("connection closed", metadata: metadata)
        }
    }

    /// A connection that never reached the broker's core: its TLS handshake failed or its certificate was refused.
    func handshakeFailed(peer: String, listener: String, failure: HandshakeFailure) {
        var metadata: Logger.Metadata = [
            "peer": "\(peer)", "listener": "\(listener)", "reason": .string(LoggedText.escaping(failure.reason)),
        ]
        if let subject = failure.subject { metadata["subject"] = "\(subject.isEmpty ? "unreadable" : subject)" }
        if let depth = failure.depth { metadata["depth"] = "\(depth)" }
        // Also by reason: behind one address there may be many clients, each with another fault.
        warn("TLS handshake failed", subject: "\(Self.subject(nil, peer)): \(failure.reason)", metadata)
    }

    /// A connection on which no MQTT was spoken yet when its certificate was found to count no more.
    func proofLost(peer: String, listener: String, _ failure: HandshakeFailure) {
        let metadata: Logger.Metadata = [
            "peer": "\(peer)", "listener": "\(listener)", "reason": .string(CloseReason.notPermitted("").name),
            "detail": .string(LoggedText.escaping(failure.text)),
        ]
        warn("connection closed", subject: Self.subject(nil, peer), metadata)
    }

    /// Sockets that are closed as soon as they are accepted: one line per reason and second, however many addresses they come from.
    func turnedAway(peer: String, listener: String, reason: String) {
        warn("connection turned away", subject: reason, ["peer": "\(peer)", "listener": "\(listener)", "reason": "\(reason)"])
    }

    /// Says once per second and subject what happened, and how often it was left out.
    ///
    /// Of each kind of line by itself: that a slow client was closed is told also in the second in which its drops were.
    private func warn(_ message: Logger.Message, subject: String, _ metadata: Logger.Metadata, clientID: String? = nil) {
        let isFirst = window.isEmpty
        guard window.admits("\(message)\0\(subject)") else { return }
        var metadata = metadata
        if let clientID { metadata["client_id"] = .string(LoggedText.escaping(clientID)) }
        logger.warning(message, metadata: metadata)
        if isFirst { eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { self.closeWindow() } }
    }

    private func closeWindow() {
        for (key, count) in window.close() {
            let parts = key.split(separator: "\0", maxSplits: 1, omittingEmptySubsequences: false)
            var metadata: Logger.Metadata = ["subject": .string(LoggedText.escaping(String(parts[parts.count - 1]))), "count": "\(count)"]
            if parts.count == 2 { metadata["line"] = "\(parts[0])" }
            logger.warning("lines left out", metadata: metadata)
        }
    }

    private static func metadata(_ info: ConnectionInfo, clientID: String?) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["peer": .string(info.peer), "listener": .string(info.listener)]
        if let clientID, !clientID.isEmpty { metadata["client_id"] = .string(LoggedText.escaping(clientID)) }
        return metadata
    }

    /// The client, or the host that it speaks from while it has no name.
    private static func subject(_ clientID: String?, _ peer: String) -> String {
        if let clientID, !clientID.isEmpty { return clientID }
        return peer.lastIndex(of: ":").map { String(peer[..<$0]) } ?? peer
    }
}
