/// Texts from the network, made fit for one line of a log.
package enum LoggedText {
    /// Characters of one text in a log line; the rest is cut and marked by `…`.
    package static let charactersMax = 256

    /// Control and format characters become `\u{…}`, so that no client can forge a line or hide in one.
    package static func escaping(_ text: String, charactersMax: Int = LoggedText.charactersMax) -> String {
        // Nearly every text is plain; the loop below costs a look into Unicode's tables for each character.
        if text.utf8.count <= charactersMax, text.utf8.allSatisfy({ 0x20..<0x7f ~= $0 }) { return text }
        var result = ""
        var count = 0
        for scalar in text.unicodeScalars {
            if count == charactersMax { return result + "…" }
            count += 1
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
