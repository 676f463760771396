/// The text form, as mosquitto writes it: `$6$salt$hash`, `$7$iterations$salt$hash`, or for Argon2id the PHC string
/// `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, whose Base64 has no padding.
extension PasswordHash {
    package var text: String {
        switch scheme {
        case .saltedSHA512: "$6$\(Self.padded(salt))$\(Self.padded(hash))"
        case .pbkdf2(let iterations): "$7$\(iterations)$\(Self.padded(salt))$\(Self.padded(hash))"
        case .argon2id(let cost):
            "$argon2id$v=19$m=\(cost.memoryKiB),t=\(cost.passes),p=\(cost.lanes)$\(Self.unpadded(salt))$\(Self.unpadded(hash))"
        }
    }

    /// Why a text is no hash that can be checked, in words that repeat nothing of it.
    struct Malformed: Error {
        var reason: String
    }

    /// Reads what stands behind the name and the colon.
    init(text: ArraySlice<UInt8>) throws(Malformed) {
        let parts = text.split(separator: UInt8(ascii: "$"), omittingEmptySubsequences: false)
        guard parts.count > 1, parts[0].isEmpty else {
            throw Malformed(
                reason: text.isEmpty
                    ? "the user has no password, and would be let in with any: give it one, or take out the line"
                    : "the password is not hashed: make the file with mosquitto_passwd or crema users (mosquitto_passwd -U hashes a file)")
        }
        let kind = String(decoding: parts[1], as: UTF8.self)
        switch kind {
        case "6": try self.init(saltedSHA512: parts)
        case "7": try self.init(pbkdf2: parts)
        case "argon2id": try self.init(argon2id: parts)
        default: throw Malformed(reason: "the hash is of no kind that is known here: $6$, $7$ and $argon2id$ are")
        }
    }

    private init(saltedSHA512 parts: [ArraySlice<UInt8>]) throws(Malformed) {
        guard parts.count == 4 else { throw Malformed(reason: "expected $6$salt$hash") }
        self.init(
            scheme: .saltedSHA512, salt: try Self.salt(Base64.bytes(parts[2])),
            hash: try Self.hash(Base64.bytes(parts[3]), SHA512.byteCount...SHA512.byteCount))
    }

    private init(pbkdf2 parts: [ArraySlice<UInt8>]) throws(Malformed) {
        guard parts.count == 5 else { throw Malformed(reason: "expected $7$iterations$salt$hash") }
        let iterations = try Self.number(parts[2], "iterations", 1...PasswordLimits.iterationsMax)
        self.init(
            scheme: .pbkdf2(iterations: iterations), salt: try Self.salt(Base64.bytes(parts[3])),
            hash: try Self.hash(Base64.bytes(parts[4]), SHA512.byteCount...SHA512.byteCount))
    }

    private init(argon2id parts: [ArraySlice<UInt8>]) throws(Malformed) {
        let costs = parts.count == 6 ? parts[3].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) : []
        guard costs.count == 3 else { throw Malformed(reason: "expected $argon2id$v=19$m=KiB,t=passes,p=lanes$salt$hash") }
        guard parts[2].elementsEqual("v=19".utf8) else { throw Malformed(reason: "only version 19 of Argon2id is known here") }
        func cost(_ index: Int, _ name: String, _ allowed: ClosedRange<Int>) throws(Malformed) -> Int {
            guard costs[index].starts(with: "\(name)=".utf8) else { throw Malformed(reason: "expected m=, t= and p= in that order") }
            return try Self.number(costs[index].dropFirst(name.utf8.count + 1), "\(name)=", allowed)
        }
        let lanes = try cost(2, "p", 1...PasswordLimits.argon2LanesMax)
        // Eight KiB for each lane is the least that there is (RFC 9106 section 3.1).
        let memoryKiB = try cost(0, "m", (8 * lanes)...PasswordLimits.argon2KiBMax)
        let passes = try cost(1, "t", 1...PasswordLimits.argon2PassesMax)
        let salt = try Self.salt(Self.bytes(unpadded: parts[4]))
        guard salt.count >= PasswordLimits.argon2SaltBytesMin else {
            throw Malformed(reason: "the salt has less than \(PasswordLimits.argon2SaltBytesMin) bytes")
        }
        self.init(
            scheme: .argon2id(Argon2Cost(memoryKiB: memoryKiB, passes: passes, lanes: lanes)), salt: salt,
            hash: try Self.hash(Self.bytes(unpadded: parts[5]), PasswordLimits.argon2HashBytes))
    }

    // MARK: Parts

    private static func number(
        _ text: ArraySlice<UInt8>, _ name: String, _ allowed: ClosedRange<Int>
    ) throws(Malformed) -> Int {
        let digits = text.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        // Without a zero in front: one hash has one text.
        guard digits, text.first != UInt8(ascii: "0"), let value = Int(String(decoding: text, as: UTF8.self)), allowed.contains(value)
        else {
            throw Malformed(reason: "\(name) must be a number from \(allowed.lowerBound) to \(allowed.upperBound)")
        }
        return value
    }

    private static func salt(_ bytes: [UInt8]?) throws(Malformed) -> [UInt8] {
        guard let bytes, bytes.count <= PasswordLimits.saltBytesMax else {
            throw Malformed(reason: "the salt is not Base64 of 1 to \(PasswordLimits.saltBytesMax) bytes")
        }
        return bytes
    }

    private static func hash(_ bytes: [UInt8]?, _ allowed: ClosedRange<Int>) throws(Malformed) -> [UInt8] {
        guard let bytes, allowed.contains(bytes.count) else {
            let count = allowed.count == 1 ? "\(allowed.lowerBound)" : "\(allowed.lowerBound) to \(allowed.upperBound)"
            throw Malformed(reason: "the hash is not Base64 of \(count) bytes")
        }
        return bytes
    }

    private static func padded(_ bytes: [UInt8]) -> String { String(decoding: Base64.text(bytes), as: UTF8.self) }

    private static func unpadded(_ bytes: [UInt8]) -> String {
        String(decoding: Base64.text(bytes).filter { $0 != UInt8(ascii: "=") }, as: UTF8.self)
    }

    private static func bytes(unpadded text: ArraySlice<UInt8>) -> [UInt8]? {
        if text.contains(UInt8(ascii: "=")) { return nil }
        return Base64.bytes(Array(text) + [UInt8](repeating: UInt8(ascii: "="), count: (4 - text.count % 4) % 4))
    }
}
