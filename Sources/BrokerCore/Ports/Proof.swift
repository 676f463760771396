/// What is known of how a client proved its principal, beside the name.
package struct Proof: Sendable, Equatable {
    /// About which the authorizer is asked as long as the connection lasts.
    package var credential: CredentialFingerprint?
    /// Seconds from now for which the proof holds: the connection is closed then; `nil` for one that does not end.
    package var seconds: Int?
    /// What the proof says of the client beside its name, such as the claims of a token, under the names that policies have for it.
    package var attributes: [String: String]

    package init(credential: CredentialFingerprint? = nil, seconds: Int? = nil, attributes: [String: String] = [:]) {
        self.credential = credential
        self.seconds = seconds
        self.attributes = attributes
    }
}
