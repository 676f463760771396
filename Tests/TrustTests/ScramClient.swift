@testable import Trust

/// The client's side of SCRAM-SHA-256, as RFC 5802 section 3 writes it; each part may be changed to what an attacker would send.
struct ScramClient {
    var header = "n,,"
    var userName: String
    var password: String
    var nonce = "rOprNGfwEbeRWgbNEkqO"

    var firstBare: String {
        let name = userName.replacing("=", with: "=3D").replacing(",", with: "=2C")
        return "n=\(name),r=\(nonce)"
    }

    var first: [UInt8] { Array((header + firstBare).utf8) }

    /// What the server said, by its letters.
    static func attributes(_ message: [UInt8]) -> [Character: String] {
        String(decoding: message, as: UTF8.self).split(separator: ",").reduce(into: [:]) { found, part in
            if let letter = part.first { found[letter] = String(part.dropFirst(2)) }
        }
    }

    /// The last message, and the signature by which the server must prove itself.
    func final(answering serverFirst: [UInt8]) throws -> (message: [UInt8], serverSignature: String) {
        let said = Self.attributes(serverFirst)
        let salt = Base64.bytes(Array((said["s"] ?? "").utf8)) ?? []
        let salted = try SHA256.stretch(Array(password.utf8), salt: salt, iterations: Int32(said["i"] ?? "") ?? 1)
        let clientKey = try SHA256.authenticate(Array("Client Key".utf8), key: salted)
        let binding = String(decoding: Base64.text(Array(header.utf8)), as: UTF8.self)
        let withoutProof = "c=\(binding),r=\(said["r"] ?? "")"
        let signed = Array("\(firstBare),\(String(decoding: serverFirst, as: UTF8.self)),\(withoutProof)".utf8)
        let signature = try SHA256.authenticate(signed, key: SHA256.hash(clientKey))
        let proof = Base64.text(zip(clientKey, signature).map { $0 ^ $1 })
        let serverKey = try SHA256.authenticate(Array("Server Key".utf8), key: salted)
        let serverSignature = Base64.text(try SHA256.authenticate(signed, key: serverKey))
        return (Array("\(withoutProof),p=".utf8) + proof, String(decoding: serverSignature, as: UTF8.self))
    }
}

extension ScramServer {
    /// Feeds text, and answers as text where there is any.
    mutating func received(_ text: String) -> Answer { received(Array(text.utf8)) }
}

extension ScramServer.Answer {
    var challengeBytes: [UInt8]? { if case .challenge(let bytes) = self { bytes } else { nil } }
}
