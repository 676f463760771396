import Foundation
import Testing

@testable import Trust

/// A request that botocore signed; `Vectors/make_signatures.py` made the file.
struct SignatureVector: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var service: String
    var method: String
    var target: String
    var body: String
    var headers: [[String]]

    var testDescription: String { name }

    /// The moment at which all are signed: 2026-11-26, 20:29:18 UTC.
    static let now: Int64 = 1_795_724_958
    static let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    static let token = "session/token+EXAMPLE=="

    static let all: [SignatureVector] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        guard let data = try? Data(contentsOf: folder.appending(path: "Vectors/signatures.json")) else { return [] }
        return (try? JSONDecoder().decode([SignatureVector].self, from: data)) ?? []
    }()

    static func named(_ name: String) throws -> SignatureVector { try #require(all.first { $0.name == name }) }

    static func verifier(
        now: Int64 = now, limits: SignatureLimits = SignatureLimits(), secret: String = secret
    ) throws -> SignatureVerifier {
        let keys = try AccessKeys([
            AccessKey(id: "AKIDEXAMPLE", secret: secret, principal: "barista"),
            AccessKey(id: "ASIDEXAMPLE", secret: secret, sessionToken: token, principal: "visitor"),
            AccessKey(id: "AKIDOTHER", secret: "another secret, and not the same", principal: "other"),
        ])
        return SignatureVerifier(keys: keys, limits: limits, clock: { now })
    }

    func signer(by verifier: SignatureVerifier) throws(SignatureFailure) -> SignatureVerifier.Signer {
        let request = SignedRequest(method: method, target: target, headers: headers.map { (name: $0[0], value: $0[1]) })
        return try verifier.finish(verifier.begin(request, for: service), body: body.utf8)
    }

    // MARK: Changing one thing

    mutating func replace(_ text: String, _ other: String, in name: String) {
        for index in headers.indices where headers[index][0] == name {
            headers[index][1] = headers[index][1].replacingOccurrences(of: text, with: other)
        }
    }

    mutating func replaceInTarget(_ text: String, _ other: String) { target = target.replacingOccurrences(of: text, with: other) }

    mutating func set(_ name: String, _ value: String) {
        for index in headers.indices where headers[index][0] == name { headers[index][1] = value }
    }

    mutating func remove(_ name: String) { headers.removeAll { $0[0] == name } }

    mutating func add(_ name: String, _ value: String) { headers.append([name, value]) }
}

/// One thing that is changed in a request that was signed rightly.
struct SignatureMutation: Sendable, CustomTestStringConvertible {
    var name: String
    var change: @Sendable (inout SignatureVector) -> Void

    init(_ name: String, _ change: @escaping @Sendable (inout SignatureVector) -> Void) { (self.name, self.change) = (name, change) }

    var testDescription: String { name }
}
