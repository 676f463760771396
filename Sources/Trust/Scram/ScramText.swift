/// User names and passwords as SCRAM compares them here: by their exact UTF-8 bytes.
///
/// RFC 5802 would have both prepared by SASLprep (RFC 4013), which maps letters that look alike onto each other. Crema does not: a name is the
/// same only byte by byte, as MQTT has it of every text, and control characters are refused. For ASCII both give the same. Whoever uses
/// other letters makes the credential from the very form that the clients send; most send Unicode's composed form (NFC).
enum ScramText {
    /// Why bytes from a client or a file cannot be a user name; `nil` when they can.
    static func problem(withUserName bytes: some Collection<UInt8>) -> String? {
        if bytes.isEmpty { return "it is empty" }
        if bytes.count > ScramLimits.userNameBytesMax { return "it is longer than \(ScramLimits.userNameBytesMax) bytes" }
        return problem(withCharactersOf: bytes)
    }

    /// Why a text cannot be a password; `nil` when it can.
    static func problem(withPassword password: String) -> String? {
        if password.isEmpty { return "it is empty" }
        if password.utf8.count > ScramLimits.passwordBytesMax { return "it is longer than \(ScramLimits.passwordBytesMax) bytes" }
        return problem(withCharactersOf: password.utf8)
    }

    private static func problem(withCharactersOf bytes: some Collection<UInt8>) -> String? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return "it is not UTF-8" }
        // U+0000 to U+001F, and U+007F to U+009F.
        let hasControl = text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        return hasControl ? "it holds a control character" : nil
    }
}
