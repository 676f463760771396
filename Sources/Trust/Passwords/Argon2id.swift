import CArgon2

/// What one hash by Argon2id costs (RFC 9106).
package struct Argon2Cost: Sendable, Equatable {
    /// KiB of memory.
    package var memoryKiB: Int
    /// How often all of it is gone over.
    package var passes: Int
    package var lanes: Int

    /// What mosquitto gives the passwords that it hashes.
    package static let mosquitto = Argon2Cost(memoryKiB: 47_104, passes: 1, lanes: 1)
}

/// Argon2id, version 1.3, by libargon2.
enum Argon2id {
    /// Takes memory and time as `cost` says, on the calling thread alone: never on an event loop.
    static func hash(_ password: [UInt8], salt: [UInt8], cost: Argon2Cost, byteCount: Int) throws(TrustError) -> [UInt8] {
        var hash = [UInt8](repeating: 0, count: byteCount)
        let code = unsafe CArgon2_id(
            UInt32(clamping: cost.memoryKiB), UInt32(clamping: cost.passes), UInt32(clamping: cost.lanes), password,
            UInt32(clamping: password.count), salt, UInt32(clamping: salt.count), &hash, UInt32(clamping: byteCount))
        guard code == ARGON2_OK.rawValue else { throw .passwordHashing(detail: detail(of: code)) }
        return hash
    }

    private static func detail(of code: Int32) -> String {
        guard let text = unsafe argon2_error_message(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}
