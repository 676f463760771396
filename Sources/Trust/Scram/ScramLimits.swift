/// Every bound of SCRAM here: what lies beyond is refused by name.
package enum ScramLimits {
    /// UTF-8 bytes of a user name.
    package static let userNameBytesMax = 256
    /// UTF-8 bytes of a password.
    package static let passwordBytesMax = 1_024
    /// Bytes of one message from a client.
    package static let messageBytesMax = 2_048
    /// Characters of the nonce that a client draws.
    package static let clientNonceBytesMax = 256
    /// Bytes of randomness in the server's nonce.
    package static let serverNonceBytes = 18
    /// Bytes of a salt that is made here.
    package static let saltBytes = 16
    /// Bytes of a salt that is read.
    package static let saltBytesMax = 64
    /// Fewest iterations of PBKDF2 (RFC 7677 section 4).
    package static let iterationsMin = 4_096
    /// Iterations unless told otherwise.
    ///
    /// The client pays them at each connection: more where devices are fast.
    package static let iterationsDefault = 32_768
    /// Most iterations: a device would not finish more before its CONNECT has timed out.
    package static let iterationsMax = 10_000_000
    /// Bytes of a file of credentials.
    package static let fileBytesMax = 16_777_216
}
