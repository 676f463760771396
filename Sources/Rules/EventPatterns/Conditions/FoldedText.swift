/// A value in a form that is the same for both cases of every character, as far as a pattern can tell.
struct FoldedText {
    /// A folded pattern is not longer: no character folds to more than three times its bytes.
    private static let patternBytesMax = 3 * EventPattern.bytesMax
    /// So much of a value folds to as many bytes as the longest pattern has: no character loses more than two thirds of its bytes.
    private static let readMax = 3 * patternBytesMax

    /// What the folded value begins with, enough for every pattern.
    let beginning: [UInt8]
    let ending: [UInt8]
    /// Whether that is all of it; a longer value equals no pattern.
    let isWhole: Bool

    init(_ text: ArraySlice<UInt8>) {
        isWhole = text.count <= Self.readMax
        beginning = Self.fold(isWhole ? text : Self.wholeCharacters(text.prefix(Self.readMax)))
        ending = isWhole ? beginning : Self.fold(text.suffix(Self.readMax).drop { $0 & 0xC0 == 0x80 })
    }

    /// The text without the beginning of a character at its end.
    private static func wholeCharacters(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let last = text.lastIndex(where: { $0 & 0xC0 != 0x80 }), text[last] >= 0x80 else { return text }
        return text[..<last]
    }

    /// Where a folded text stands in tables.
    static func hash(ofFolded text: [UInt8]) -> UInt64 { text.reduce(0) { ByteHash.step($0, $1) } }

    /// The same of a text that is still to be folded; nil where that takes more than a look at each byte.
    static func hash(ofASCII text: ArraySlice<UInt8>) -> UInt64? {
        var hash: UInt64 = 0
        for byte in text.prefix(readMax + 1) {
            guard byte < 0x80 else { return nil }
            hash = ByteHash.step(hash, CaselessText.lowerCase(byte))
        }
        return text.count <= readMax ? hash : nil
    }

    /// A form that is the same for the lower and the upper case of every character.
    static func fold(_ text: ArraySlice<UInt8>) -> [UInt8] {
        if text.allSatisfy({ $0 < 0x80 }) { return text.map(CaselessText.lowerCase) }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        let forms = forms
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            if scalar.isASCII {
                result.append(CaselessText.lowerCase(UInt8(truncatingIfNeeded: scalar.value)))
            } else if scalar.value < 0x10000, let form = Unicode.Scalar(forms[Int(scalar.value)]) {
                result += UTF8.encode(form) ?? UTF8.encodedReplacementCharacter
            } else {
                result += fold(scalar)
            }
        }
        return result
    }

    private static func fold(_ scalar: Unicode.Scalar) -> [UInt8] {
        var result: [UInt8] = []
        for small in scalar.properties.lowercaseMapping.unicodeScalars {
            for large in small.properties.uppercaseMapping.unicodeScalars { result += large.properties.lowercaseMapping.utf8 }
        }
        return result
    }

    /// Of each character below U+10000 the one that it folds to, or half a surrogate pair where it folds to several.
    ///
    /// Asking for a character's properties takes much longer than a text of strangers may.
    private static let forms: [UInt16] = (0..<0x10000).map { value in
        guard let scalar = Unicode.Scalar(UInt32(value)) else { return 0xD800 }
        let folded = String(decoding: fold(scalar), as: UTF8.self).unicodeScalars
        guard folded.count == 1, let form = folded.first.flatMap({ UInt16(exactly: $0.value) }) else { return 0xD800 }
        return form
    }
}
