/// What Trust reads at most.
///
/// Beyond each limit the input is refused with ``TrustError/tooLarge(source:bytes:limit:)`` or by name.
package enum CertificateLimits {
    /// DER bytes of one certificate.
    package static let certificateBytesMax = 65_536
    /// Bytes of one PEM file.
    package static let fileBytesMax = 1_048_576
    /// Certificates in one PEM file.
    package static let fileCertificatesMax = 256
    /// Bytes of one file of revocation lists.
    ///
    /// A list is hashed at every handshake: one of this size takes several milliseconds each time.
    package static let revocationFileBytesMax = 4_194_304
    /// Days until a development CA's revocation list is due, if nobody says.
    package static let revocationDays = 30
    /// Alternative names in one certificate.
    package static let alternativeNamesMax = 256
    /// Certificates that a peer may send, its own included.
    package static let chainCertificatesMax = 10
    /// Certificates between a peer's and its root.
    package static let chainDepthMax: Int32 = 8
    /// Days that a server or client certificate lives: the longest that Apple's and other TLS clients take from a private CA.
    package static let leafDaysMax = 825
    /// Days that a development CA lives.
    package static let authorityDays = 3_650
    /// Fields of a certificate that policies may ask for, second values and so on included; further ones stand for nothing.
    package static let attributesMax = 64
    /// UTF-8 bytes of a principal, and of each of these fields.
    package static let principalBytesMax = 256
    /// Bytes of a client's name in a certificate: the bound of a common name (ub-common-name, RFC 5280 appendix A.1).
    package static let thingNameBytesMax = 64
}
