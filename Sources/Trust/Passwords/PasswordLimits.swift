/// Every bound of password files: what lies beyond is refused by name, with the file and the line.
///
/// They keep a file, which may come from elsewhere, from taking the memory or the time of the broker: see record 0022.
package enum PasswordLimits {
    /// Bytes of a file.
    package static let fileBytesMax = 16_777_216
    /// Bytes of a salt that is made here for Argon2id.
    package static let saltBytes = 16
    /// Bytes of a salt that is made here for PBKDF2: mosquitto 2.0 takes no other length.
    package static let saltBytesForPBKDF2 = 12
    /// Bytes of a salt that is read.
    package static let saltBytesMax = 64
    /// Most iterations of PBKDF2 that are read: some two seconds of one core.
    package static let iterationsMax = 2_000_000
    /// Iterations of PBKDF2-HMAC-SHA512 in a hash that is made here.
    package static let iterationsDefault = 210_000
    /// KiB of memory that one check by Argon2id may take.
    package static let argon2KiBMax = 131_072
    /// Passes over that memory.
    package static let argon2PassesMax = 10
    /// Lanes of that memory, which are worked off one after another.
    package static let argon2LanesMax = 16
    /// Bytes of a hash by Argon2id.
    package static let argon2HashBytes = 16...64
    /// Least bytes of a salt for Argon2id (RFC 9106 section 3.1).
    package static let argon2SaltBytesMin = 8
}
