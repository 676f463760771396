package import MQTTCodec

/// A proof that takes too long to be looked at on an event loop, as a password that is hashed slowly on purpose.
///
/// The shard has it carried out elsewhere by its ``ShardTransport``, and hears of the answer as of everything else.
package protocol CredentialCheck: Sendable {
    /// Looks at the proof, on a thread that may wait; called once at the most.
    func run() -> CheckedCredential
    /// The proof was right, and somebody still waits to hear it; called on the same thread.
    func answered()
}

extension CredentialCheck {
    package func answered() {}
}

/// What came of a ``CredentialCheck``.
package enum CheckedCredential: Sendable, Equatable {
    /// The client has proved this principal.
    ///
    /// The authorizer is asked about the credential by which it was proved as long as the connection lasts.
    case proved(principal: String, credential: CredentialFingerprint)
    /// It has not: that counts against its address. The text goes to the log; the client is told the code.
    case refuted(ReasonCode, String)
    /// Nobody can say, which is no fault of the client.
    case undecided(ReasonCode, String)
}
