import MQTTCodec

/// QoS 2 from clients between PUBLISH and PUBREL: which identifiers are kept, and how many (MQTT 3.1.1 and MQTT 5 section 4.3.3).
extension Shard {
    /// Whether one more QoS 2 message may wait for its PUBREL; if not, the connection is closed.
    ///
    /// The session keeps what it has: the client may come back and release it.
    func mayReceive(_ packetID: UInt16, _ session: Session, on connection: ClientConnection) -> Bool {
        if session.awaitingPubrel.isCurrent(packetID) { return true }
        let perClient = connection.limits.values
        if connection.terms != nil, session.awaitingPubrel.currentCount >= perClient.receiveMaximum {
            let text = "more than \(perClient.receiveMaximum) QoS 2 messages without PUBREL (receiveMaximum)"
            // [MQTT5-3.3.4-7]
            end(connection, reason: .limitExceeded(.receiveMaximumExceeded, text), closingTransport: true)
            return false
        }
        if session.awaitingPubrel.hasRoom(for: packetID) { return true }
        let count = session.awaitingPubrel.count
        // A client of MQTT 5 may use what it was told, whatever is left of earlier connections.
        let countMax = connection.terms == nil ? limits.awaitingPubrelMax : max(limits.awaitingPubrelMax, perClient.receiveMaximum)
        if count >= countMax {
            let text = "more than \(countMax) QoS 2 messages without PUBREL (awaitingPubrelMax)"
            end(connection, reason: .limitExceeded(.quotaExceeded, text), closingTransport: true)
            return false
        }
        if count >= BrokerLimits.awaitingPubrelAlways, awaitingPubrel >= awaitingPubrelShare {
            let text = "all clients together have as many QoS 2 messages without PUBREL as they may (awaitingPubrelInAllMax)"
            end(connection, reason: .limitExceeded(.quotaExceeded, text), closingTransport: true)
            return false
        }
        return true
    }

    /// How many more QoS 2 messages may certainly wait for their PUBREL.
    func roomForPubrel(of session: Session, on connection: ClientConnection) -> Int {
        let perClient = connection.limits.values
        let ofConnection = connection.terms == nil ? Int.max : perClient.receiveMaximum - session.awaitingPubrel.currentCount
        let ofSession = limits.awaitingPubrelMax - session.awaitingPubrel.count
        let ofAll = max(BrokerLimits.awaitingPubrelAlways - session.awaitingPubrel.count, awaitingPubrelShare - awaitingPubrel)
        return max(0, min(ofConnection, ofSession, ofAll))
    }

    func receivePubrel(_ packetID: UInt16, from session: Session, on connection: ClientConnection) {
        let isKnown = session.awaitingPubrel.release(packetID)
        if isKnown {
            countAwaitingPubrel(of: session)
            recordForgotten(packetID, of: session)
        }
        // [MQTT-4.3.3-2] [MQTT5-4.3.3-11]: also for an identifier that is not known
        acknowledge(
            .pubcomp, packetID, isKnown ? .success : .packetIdentifierNotFound, after: need(of: session), on: connection)
    }

    /// Brings what the session keeps of QoS 2 messages up to date in what all sessions keep.
    func countAwaitingPubrel(of session: Session) {
        let counted = max(0, session.awaitingPubrel.count - BrokerLimits.awaitingPubrelAlways)
        awaitingPubrel += counted - session.awaitingPubrelCounted
        session.awaitingPubrelCounted = counted
    }
}
