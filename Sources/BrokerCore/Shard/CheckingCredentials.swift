import MQTTCodec
import NIOCore

/// A CONNECT whose proof is checked elsewhere: the connection waits for the answer in a phase of its own.
///
/// What the client sends meanwhile is kept, as much as there is room for, and looked at when it is let in: it need not wait for CONNACK
/// [MQTT-3.1.4-5] [MQTT5-3.1.4-6]. The time for CONNECT goes on, and of two connections of one client the later has its session, whichever
/// is answered first.
extension Shard {
    func beginCheck(_ check: any CredentialCheck, of packet: Connect, isAssignedClientID: Bool, on connection: ClientConnection) {
        guard admission.checkRoom.take() else {
            let text = "too many passwords wait to be checked (passwordChecksWaitingMax)"
            return refuse(packet.clientID, on: connection, .serverBusy, text)
        }
        var connect = packet
        connect.password = nil  // the check has it, and nobody else needs it
        connection.phase = .checking(connect, isAssignedClientID: isAssignedClientID, attempt: directory.nextAttempt())
        connection.isBeingChecked = true
        transport.check(check, of: connection)
    }

    /// What came of the check of a connection that may have gone since.
    package func credentialChecked(_ answer: CheckedCredential, slot: Int, connectionID: UInt64, now: Instant) {
        self.now = now
        guard slot < connections.count, let connection = connections[slot], connection.id == connectionID,
            case .checking(let connect, let isAssigned, let attempt) = connection.phase
        else { return }
        connection.isBeingChecked = false
        admission.checkRoom.give(isAbandoned: false)
        turns?.begin()
        if let network = connection.info.network, admission.isBlocked(network, now: now) {
            // Also when it fits: else every connection that is open would be a guess more.
            refuse(connect.clientID, on: connection, .banned, "the address failed too often (failedAuthenticationsMax)")
        } else {
            switch answer {
            case .proved(let principal, let credential):
                claim(
                    AcceptedConnect(
                        connect: connect, principal: principal, isAssignedClientID: isAssigned, credential: credential, attempt: attempt),
                    on: connection)
            case .refuted(let code, let text): refuseUnproved(connect, on: connection, code, text)
            case .undecided(let code, let text): refuse(connect.clientID, on: connection, code, text)
            }
        }
        process(ByteBuffer(), on: connection)  // what it sent meanwhile, or nothing, goes where it belongs now
    }

    /// The time for CONNECT is over, and nobody has looked at the proof.
    func giveUpCheck(of connection: ClientConnection, _ connect: Connect) {
        refuse(connect.clientID, on: connection, .serverBusy, "the password was not checked in time (connectSecondsMax)")
    }

    /// Nobody waits for the answer any more.
    func abandonCheck(of connection: ClientConnection) {
        guard connection.isBeingChecked else { return }
        connection.isBeingChecked = false
        admission.checkRoom.give(isAbandoned: true)
        transport.abandonCheck(of: connection)
    }
}
