/// The first message of a client: `n,,n=user,r=nonce` (RFC 5802 section 7, client-first-message).
struct ScramClientFirst {
    /// Everything up to the second comma, as it was sent: the client repeats it in `c=`.
    let header: [UInt8]
    /// What follows the header, as it was sent: a part of what both sides sign.
    let bare: [UInt8]
    let userName: [UInt8]
    let nonce: [UInt8]

    init(_ message: [UInt8]) throws(ScramFailure) {
        let fields = try ScramFields.split(message)
        guard fields.count >= 4 else { throw .malformed("the first message has fewer than four parts") }
        try Self.checkBinding(fields[0])
        let userField = fields[2]
        if userField.starts(with: Array("m=".utf8)) { throw .extensionUnsupported }
        userName = try Self.name(try ScramFields.value(of: "n", in: userField))
        if !fields[1].isEmpty {
            let identity = try Self.name(try ScramFields.value(of: "a", in: fields[1]))
            if identity != userName { throw .authorizationIdentityDiffers }
        }
        nonce = Array(try ScramFields.value(of: "r", in: fields[3]))
        guard nonce.count <= ScramLimits.clientNonceBytesMax, nonce.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .malformed("the nonce is not 1 to \(ScramLimits.clientNonceBytesMax) printable characters")
        }
        for field in fields[4...] { try ScramFields.checkExtension(field) }
        let start = userField.startIndex
        header = Array(message[..<start])
        bare = Array(message[start...])
    }

    /// Takes `n`, by a client without channel binding, and `y`, by one that has it and believes that the server has not: that is so.
    private static func checkBinding(_ field: ArraySlice<UInt8>) throws(ScramFailure) {
        if field.elementsEqual("n".utf8) || field.elementsEqual("y".utf8) { return }
        if field.starts(with: Array("p=".utf8)) { throw .channelBindingUnsupported(PrintableText.escaping(field.dropFirst(2))) }
        throw .malformed("it begins with neither n, y nor p=")
    }

    /// A name with its `=2C` and `=3D` read as comma and equals sign.
    private static func name(_ value: ArraySlice<UInt8>) throws(ScramFailure) -> [UInt8] {
        var name: [UInt8] = []
        var rest = value
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "=") else {
                name.append(byte)
                continue
            }
            switch rest.prefix(2) {
            case [UInt8(ascii: "2"), UInt8(ascii: "C")]: name.append(UInt8(ascii: ","))
            case [UInt8(ascii: "3"), UInt8(ascii: "D")]: name.append(UInt8(ascii: "="))
            default: throw .unusableUserName("'=' that is neither =2C nor =3D")
            }
            rest = rest.dropFirst(2)
        }
        if let problem = ScramText.problem(withUserName: name) { throw .unusableUserName(problem) }
        return name
    }
}

/// The last message of a client: `c=header,r=nonce,p=proof` (RFC 5802 section 7, client-final-message).
struct ScramClientFinal {
    /// What `c=` holds, decoded.
    let header: [UInt8]
    let nonce: [UInt8]
    let proof: [UInt8]
    /// Everything before `,p=`, as it was sent: a part of what both sides sign.
    let withoutProof: [UInt8]

    init(_ message: [UInt8]) throws(ScramFailure) {
        let fields = try ScramFields.split(message)
        guard fields.count >= 3, let last = fields.last else { throw .malformed("the last message has fewer than three parts") }
        guard let header = Base64.bytes(try ScramFields.value(of: "c", in: fields[0])) else { throw .malformed("c= is not Base64") }
        self.header = header
        nonce = Array(try ScramFields.value(of: "r", in: fields[1]))
        for field in fields[2...].dropLast() { try ScramFields.checkExtension(field) }
        guard let proof = Base64.bytes(try ScramFields.value(of: "p", in: last)), proof.count == SHA256.byteCount else {
            throw .malformed("p= is not Base64 of \(SHA256.byteCount) bytes")
        }
        self.proof = proof
        withoutProof = Array(message[..<(last.startIndex - 1)])
    }
}

/// The parts of a message, which commas separate.
private enum ScramFields {
    static func split(_ message: [UInt8]) throws(ScramFailure) -> [ArraySlice<UInt8>] {
        guard message.count <= ScramLimits.messageBytesMax else {
            throw .tooLarge(bytes: message.count, limit: ScramLimits.messageBytesMax)
        }
        guard String(validating: message, as: UTF8.self) != nil else { throw .malformed("it is not UTF-8") }
        guard !message.contains(0) else { throw .malformed("it holds U+0000") }
        return message.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    }

    /// What follows `name=`; never empty.
    static func value(of name: Character, in field: ArraySlice<UInt8>) throws(ScramFailure) -> ArraySlice<UInt8> {
        guard field.starts(with: Array("\(name)=".utf8)) else { throw .malformed("\(name)= is missing, or not in its place") }
        let value = field.dropFirst(2)
        if value.isEmpty { throw .malformed("\(name)= is empty") }
        return value
    }

    /// An attribute that RFC 5802 does not know is passed over, as it asks; its own ones have their places.
    static func checkExtension(_ field: ArraySlice<UInt8>) throws(ScramFailure) {
        guard let name = field.first, Character(Unicode.Scalar(name)).isLetter, name < 0x80, field.dropFirst().first == UInt8(ascii: "="),
            field.count > 2
        else { throw .malformed("a part is no attribute") }
        if name == UInt8(ascii: "m") { throw .extensionUnsupported }
        if "aceinprsv".utf8.contains(name) { throw .malformed("\(Character(Unicode.Scalar(name)))= is not in its place") }
    }
}
