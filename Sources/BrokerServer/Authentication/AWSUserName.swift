/// A user name as clients of AWS IoT send it: the name, and behind a `?` what is for the service.
///
/// AWS's SDKs put their own name and version there, and what a custom authorizer is to be asked with (AWS IoT Core's developer guide,
/// "Connecting to AWS IoT Core by using custom authentication"). Read on listeners with the AWS dialect only: elsewhere a name may have
/// a `?` in it. What is behind it may be a token or a signature, and is shown nowhere.
struct AWSUserName: Equatable {
    let name: String
    /// As they are written, in their order; what has no `=` says nothing.
    private let fields: [Field]

    private struct Field: Equatable {
        let key: String
        let value: String
    }

    /// With it begin the keys of what is for the service itself; SDKs write them in small letters, whatever their case they mean the same.
    static let servicePrefix = "x-amz-customauthorizer-"

    init(_ text: String) {
        // By bytes: a mark with something that combines with it is another character, and the same byte.
        let parts = text.utf8.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        name = String(Substring(parts[0]))
        fields = (parts.count == 2 ? parts[1].split(separator: UInt8(ascii: "&")) : []).compactMap { field in
            let sides = field.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            return sides.count == 2 ? Field(key: String(Substring(sides[0])), value: String(Substring(sides[1]))) : nil
        }
    }

    /// What is for the service, by the key without its prefix: `name`, `signature`.
    var serviceKeys: [String] {
        fields.compactMap { field in
            let key = field.key.lowercased()
            guard key.utf8.starts(with: Self.servicePrefix.utf8) else { return nil }
            return String(Substring(key.utf8.dropFirst(Self.servicePrefix.utf8.count)))
        }
    }

    /// The value of a key for the service; nil where there is none.
    func service(_ key: String) throws(AuthorizerRefusal) -> String? {
        try value(of: Self.servicePrefix + key) { $0.lowercased() }
    }

    /// The value of another key, byte by byte; nil where there is none.
    func value(of key: String) throws(AuthorizerRefusal) -> String? { try value(of: key) { $0 } }

    private func value(of key: String, _ form: (String) -> String) throws(AuthorizerRefusal) -> String? {
        let found = fields.filter { form($0.key).utf8.elementsEqual(key.utf8) }
        // Two readers could take two of them.
        guard found.count < 2 else { throw AuthorizerRefusal("the user name has '\(key)' twice") }
        guard let field = found.first else { return nil }
        guard let value = Self.decoded(field.value) else {
            throw AuthorizerRefusal("the value of '\(key)' in the user name is no URL encoding")
        }
        return value
    }

    /// A text of a URL; nil for a broken escape.
    ///
    /// `+` is no blank: it stands in base64, which not everybody encodes.
    private static func decoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            // `UInt8` would take a sign, too.
            guard digits.count == 2, digits.first != UInt8(ascii: "+"), let value = UInt8(Substring(digits), radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
