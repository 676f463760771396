import COpenSSL
import Foundation
import FuzzDriver
import Trust

/// A user of the harness, who knows a password, and the keys that come of it: worked out once, for that is what takes time.
struct KnownUser {
    let name: String
    let line: String
    private let clientKey: [UInt8]
    private let storedKey: [UInt8]

    init(name: String) {
        self.name = name
        let password = "pencil"
        // Of its own salt, which is no matter here but for the proof.
        guard let credential = try? ScramCredential(password: password, iterations: ScramLimits.iterationsMin),
            let line = try? ScramCredentials.line(userName: name, credential)
        else { refuse("no credential for the harness") }
        self.line = line
        let salted = Self.stretch(Array(password.utf8), salt: credential.salt, iterations: credential.iterations)
        clientKey = Self.authenticate(Array("Client Key".utf8), key: salted)
        storedKey = Self.hash(clientKey)
    }

    /// The last message that proves the password, with something of the fuzzer's before the proof.
    func final(first: [UInt8], serverFirst: [UInt8], header: [UInt8], more: [UInt8]) -> [UInt8] {
        let nonce = serverFirst.split(separator: UInt8(ascii: ","))[0]
        let binding = Array(Data(header).base64EncodedString().utf8)
        let withoutProof = Array("c=".utf8) + binding + Array(",".utf8) + nonce + more
        let comma = [UInt8(ascii: ",")]
        let signed = first.dropFirst(header.count) + comma + serverFirst + comma + withoutProof
        let signature = Self.authenticate(Array(signed), key: storedKey)
        let proof = zip(clientKey, signature).map { $0 ^ $1 }
        return withoutProof + Array(",p=".utf8) + Array(Data(proof).base64EncodedString().utf8)
    }

    // MARK: libcrypto

    private static let byteCount = 32

    private static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        var length: UInt32 = 0
        require(unsafe EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil) == 1, "no SHA-256")
        return digest
    }

    private static func authenticate(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: byteCount)
        var length = 0
        let written = unsafe EVP_Q_mac(
            nil, "HMAC", nil, "SHA256", nil, key, key.count, message, message.count, &code, code.count, &length)
        require(unsafe written != nil, "no HMAC")
        return code
    }

    private static func stretch(_ password: [UInt8], salt: [UInt8], iterations: Int) -> [UInt8] {
        var key = [UInt8](repeating: 0, count: byteCount)
        let done = unsafe password.withUnsafeBytes { bytes in
            let text = unsafe bytes.bindMemory(to: CChar.self)
            return unsafe PKCS5_PBKDF2_HMAC(
                text.baseAddress, Int32(truncatingIfNeeded: text.count), salt, Int32(truncatingIfNeeded: salt.count),
                Int32(truncatingIfNeeded: iterations), EVP_sha256(), Int32(byteCount), &key)
        }
        require(done == 1, "no PBKDF2")
        return key
    }
}
