/// What a client and its listener agreed on by TLS.
package struct TLSSummary: Sendable, Equatable {
    /// `TLSv1.3` for instance.
    package var version: String
    /// The suite's name in IANA's registry; `nil` where it was not seen.
    package var cipher: String?
    /// The name that the client's certificate proved; `nil` without one.
    package var certificate: String?

    package init(version: String, cipher: String? = nil, certificate: String? = nil) {
        self.version = version
        self.cipher = cipher
        self.certificate = certificate
    }
}
