/// A value beside the body of a message, with its type.
package struct QueueMessageAttribute: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        /// Of the types `String` and `Number`.
        case text(String)
        /// Of the type `Binary`.
        case binary([UInt8])
    }

    /// `String`, `Number` or `Binary`, possibly with a label of the sender's own behind a dot.
    package let dataType: String
    package let value: Value

    package init(dataType: String, value: Value) {
        self.dataType = dataType
        self.value = value
    }

    package static func text(_ text: String) -> QueueMessageAttribute { .init(dataType: "String", value: .text(text)) }
    package static func number(_ number: Int) -> QueueMessageAttribute { .init(dataType: "Number", value: .text(String(number))) }

    /// The bytes of the value.
    var bytes: [UInt8] {
        switch value {
        case .text(let text): Array(text.utf8)
        case .binary(let bytes): bytes
        }
    }

    var isBinary: Bool {
        if case .binary = value { true } else { false }
    }

    /// Refuses what a message may not carry.
    func check(named name: String) throws(QueueError) {
        func invalid(_ reason: String) -> QueueError { QueueError(.invalidParameterValue, reason) }
        guard (1...256).contains(name.utf8.count), name.utf8.allSatisfy(Self.isNameByte) else {
            throw invalid("The message attribute name '\(name)' must be 1 to 256 letters, digits and any of `.-_`.")
        }
        guard !Self.isReserved(name) else {
            throw invalid(
                "The message attribute name '\(name)' must not begin with AWS. or Amazon., nor begin or end with a period, nor have two in "
                    + "succession.")
        }
        let type = dataType.prefix { $0 != "." }
        guard ["String", "Number", "Binary"].contains(type), dataType.utf8.count <= 256 else {
            throw invalid(
                "The message attribute '\(name)' has an invalid message attribute type, the set of supported type prefixes is "
                    + "Binary, Number, and String.")
        }
        guard isBinary == (type == "Binary") else {
            throw invalid(
                "The message attribute '\(name)' with type '\(dataType)' must use field '\(type == "Binary" ? "Binary" : "String")'.")
        }
        guard !bytes.isEmpty else {
            throw invalid("Message (user) attribute '\(name)' must contain a non-empty value of type '\(type)'.")
        }
        guard type != "Number" || Self.isNumber(bytes) else {
            throw invalid("Can't cast the value of message attribute '\(name)' to a number.")
        }
    }

    private static func isReserved(_ name: String) -> Bool {
        let lowered = name.lowercased()
        return ["aws.", "amazon."].contains { lowered.utf8.starts(with: $0.utf8) } || name.hasPrefix(".") || name.hasSuffix(".")
            || name.contains("..")
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Digits with a sign, a point and an exponent as numbers have them; not what else may be read as a number, such as `nan`.
    private static func isNumber(_ bytes: [UInt8]) -> Bool {
        guard bytes.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || "+-.eE".utf8.contains($0) }) else { return false }
        return Double(String(decoding: bytes, as: UTF8.self)) != nil && isInRange(bytes)
    }

    /// Whether a number has at most 38 digits and, but for zero, lies from 10^-128 to 10^126.
    private static func isInRange(_ number: [UInt8]) -> Bool {
        let parts = number.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 | 0x20 == UInt8(ascii: "e") }
        let halves = (parts.first ?? []).filter { $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }
            .split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == UInt8(ascii: ".") }
        let (whole, fraction) = (halves.first.map(Array.init) ?? [], halves.count == 2 ? Array(halves[1]) : [])
        let digits = whole + fraction
        guard let first = digits.firstIndex(where: { $0 != UInt8(ascii: "0") }),
            let last = digits.lastIndex(where: { $0 != UInt8(ascii: "0") })
        else { return true }
        guard let exponent = parts.count == 2 ? Int(String(decoding: parts[1], as: UTF8.self)) : 0, abs(exponent) < 1_000 else {
            return false
        }
        // Of the first digit that counts.
        let power = whole.count - 1 - first + exponent
        return last - first < 38 && power >= -128 && (power < 126 || (power == 126 && first == last && digits[first] == UInt8(ascii: "1")))
    }
}

extension [String: QueueMessageAttribute] {
    /// The digest that clients compare with their own: each name, type and value with its length before it, in the order of the names.
    ///
    /// `nil` where there are none.
    package var digest: String? {
        guard !isEmpty else { return nil }
        var digest = MD5()
        func length(_ count: Int) -> [UInt8] {
            let length = UInt32(truncatingIfNeeded: count)
            return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> UInt32($0)) }
        }
        for (name, attribute) in sorted(by: { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }) {
            digest.update(length(name.utf8.count) + Array(name.utf8))
            digest.update(length(attribute.dataType.utf8.count) + Array(attribute.dataType.utf8))
            digest.update([attribute.isBinary ? 2 : 1])
            let bytes = attribute.bytes
            digest.update(length(bytes.count) + bytes)
        }
        return digest.finish()
    }
}
