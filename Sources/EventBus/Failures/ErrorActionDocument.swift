import Documents

/// What AWS IoT hands to a rule's error action, which is what a dead letter of a topic rule keeps.
struct ErrorActionDocument {
    var ruleName: String
    var topic: String
    var clientID: String?
    var payload: [UInt8]
    var failedAction: String
    var errorMessage: String

    var json: [UInt8] {
        var output: [UInt8] = []
        append("{\"ruleName\":", ruleName, to: &output)
        append(",\"topic\":", topic, to: &output)
        append(",\"clientId\":", clientID ?? "N/A", to: &output)
        append(",\"base64OriginalPayload\":", base64(payload), to: &output)
        append(",\"failures\":[{\"failedAction\":", failedAction, to: &output)
        append(",\"failedResource\":", topic, to: &output)
        append(",\"errorMessage\":", errorMessage, to: &output)
        output += "}]}".utf8
        return output
    }

    private func append(_ key: String, _ value: String, to output: inout [UInt8]) {
        output += key.utf8
        appendJSONString(value, to: &output)
    }
}

/// RFC 4648, section 4.
func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var rest = bytes[...]
    while !rest.isEmpty {
        let group = rest.prefix(3)
        rest = rest.dropFirst(3)
        let padded = Array(group) + [0, 0]
        let word = UInt32(padded[0]) << 16 | UInt32(padded[1]) << 8 | UInt32(padded[2])
        for digit in 0..<4 {
            let index = Int(word >> UInt32(18 - 6 * digit) & 63)
            text.append(digit <= group.count ? alphabet[index] : UInt8(ascii: "="))
        }
    }
    return String(decoding: text, as: UTF8.self)
}
