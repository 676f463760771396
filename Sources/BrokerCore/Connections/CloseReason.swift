package import MQTTCodec

/// Why a connection ended.
///
/// The text goes to the log with the client and its peer; the name is a metric's label.
package enum CloseReason: Equatable, Sendable {
    /// The client sent DISCONNECT: the one end that may discard the will [MQTT-3.14.4-3] [MQTT5-3.14.4-3].
    case disconnected
    case closedByPeer
    case transportError(String)
    case malformed(DecodeError)
    /// A packet that is well-formed and not allowed here.
    case protocolViolation(String)
    case connectTimedOut
    case keepAliveTimedOut
    case sessionTakenOver(byPeer: String)
    case refused(ReasonCode, String)
    /// The code is what a client of MQTT 5 is told.
    case limitExceeded(ReasonCode, String)
    /// It asked for what it may not do, where that is answered by the end, or lost the right to what it does.
    case notPermitted(String)
    /// What it proved itself by has expired.
    case proofExpired
    /// An operator has asked for it.
    case kicked
    /// `reference` names another server that the client may use.
    case serverShuttingDown(reference: String?)

    /// A short name from a fixed set.
    package var name: String {
        switch self {
        case .disconnected: "disconnected"
        case .closedByPeer: "closed_by_peer"
        case .transportError: "transport_error"
        case .malformed: "malformed_packet"
        case .protocolViolation: "protocol_violation"
        case .connectTimedOut: "connect_timeout"
        case .keepAliveTimedOut: "keep_alive_timeout"
        case .sessionTakenOver: "session_taken_over"
        case .refused: "refused"
        case .limitExceeded: "limit_exceeded"
        case .notPermitted: "not_permitted"
        case .proofExpired: "proof_expired"
        case .kicked: "kicked"
        case .serverShuttingDown: "server_shutting_down"
        }
    }

    package var detail: String {
        switch self {
        case .disconnected: "the client sent DISCONNECT"
        case .closedByPeer: "the peer closed the connection"
        case .transportError(let text), .protocolViolation(let text), .limitExceeded(_, let text), .notPermitted(let text): text
        case .malformed(let error): error.description
        case .connectTimedOut: "no complete CONNECT in time"
        case .keepAliveTimedOut: "nothing received for one and a half times the keep alive"
        case .sessionTakenOver(let peer): "the same client identifier connected from \(peer)"
        case .refused(let code, let text): "CONNECT refused (\(code.name)): \(text)"
        case .proofExpired: "what the client proved itself by has expired"
        case .kicked: "an operator has closed the connection"
        case .serverShuttingDown: "the broker is shutting down"
        }
    }

    /// What DISCONNECT tells a client of MQTT 5; `nil` where nobody is left to be told, or CONNACK has said it.
    var reasonCode: ReasonCode? {
        switch self {
        case .disconnected, .closedByPeer, .transportError, .refused, .connectTimedOut: nil
        case .malformed(let error): error.reasonCode
        case .protocolViolation: .protocolError
        case .keepAliveTimedOut: .keepAliveTimeout
        case .sessionTakenOver: .sessionTakenOver
        case .limitExceeded(let code, _): code
        case .notPermitted: .notAuthorized
        case .proofExpired: .maximumConnectTime
        case .kicked: .administrativeAction
        case .serverShuttingDown(let reference): reference == nil ? .serverShuttingDown : .useAnotherServer
        }
    }

    /// What a client of MQTT 5 reads beside the code: of its own packets only, and nothing about others.
    var reasonString: String? {
        switch self {
        case .malformed, .protocolViolation, .limitExceeded: detail
        default: nil
        }
    }
}
