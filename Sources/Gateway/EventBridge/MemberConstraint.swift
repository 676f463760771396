import EventBus

/// What the service's model demands of a member that is a text, and how the service words a refusal.
struct MemberConstraint: Sendable {
    let lengths: ClosedRange<Int>
    /// As the model writes it, and what fits it; nil for any text.
    private let pattern: (text: String, fits: @Sendable (String) -> Bool)?

    init(_ lengths: ClosedRange<Int>) {
        self.lengths = lengths
        pattern = nil
    }

    private init(_ lengths: ClosedRange<Int>, _ text: String, takes: @escaping @Sendable (UInt8) -> Bool) {
        self.init(lengths, text, fits: { $0.utf8.allSatisfy(takes) })
    }

    private init(_ lengths: ClosedRange<Int>, _ text: String, fits: @escaping @Sendable (String) -> Bool) {
        self.lengths = lengths
        pattern = (text, fits)
    }

    static let ruleName = MemberConstraint(1...64, #"[\.\-_A-Za-z0-9]+"#) { isLetterOrDigit($0) || isSign($0) }
    static let targetID = ruleName
    static let archiveName = MemberConstraint(1...48, #"[\.\-_A-Za-z0-9]+"#) { isLetterOrDigit($0) || isSign($0) }
    static let busName = MemberConstraint(1...256, #"[/\.\-_A-Za-z0-9]+"#) {
        isLetterOrDigit($0) || isSign($0) || $0 == UInt8(ascii: "/")
    }
    /// Of a bus that is no partner's.
    static let plainBusName = MemberConstraint(1...256, #"[\.\-_A-Za-z0-9]+"#) { isLetterOrDigit($0) || isSign($0) }
    static let statementID = MemberConstraint(1...64, "[a-zA-Z0-9-_]+") {
        isLetterOrDigit($0) || isSign($0) && $0 != UInt8(ascii: ".")
    }
    static let principal = MemberConstraint(1...12, #"(\d{12}|\*)"#, fits: { $0 == "*" || $0.count == 12 && $0.allSatisfy(\.isNumber) })
    static let action = MemberConstraint(
        1...64, "events:[a-zA-Z]+",
        fits: { action in
            let name = action.dropFirst("events:".count)
            return action.hasPrefix("events:") && !name.isEmpty && name.utf8.allSatisfy { isLetterOrDigit($0) && $0 > 0x39 }
        })
    static let connectionARN = MemberConstraint(
        1...1_600, #"^arn:aws([a-z]|\-)*:events:([a-z]|\d|\-)*:([0-9]{12})?:connection\/[\.\-_A-Za-z0-9]+\/[\-A-Za-z0-9]+$"#,
        fits: { CallARN($0, kind: "connection")?.isWhole ?? false })
    static let busReference = MemberConstraint(
        1...1_600,
        #"(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus\/)?[/\.\-_A-Za-z0-9]+"#
    ) { isLetterOrDigit($0) || isSign($0) || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }
    static let topicRuleName = MemberConstraint(1...128, "^[a-zA-Z0-9_]+$") { isLetterOrDigit($0) || $0 == UInt8(ascii: "_") }
    static let thingName = MemberConstraint(1...128, "[a-zA-Z0-9:_-]+") {
        isLetterOrDigit($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
    }
    static let policyName = MemberConstraint(1...128, #"[\w+=,.@-]+"#) { isLetterOrDigit($0) || isSign($0) || "+=,@".utf8.contains($0) }
    static let arn = MemberConstraint(1...1_600)
    /// Of a bus or an archive, from which events come.
    static let sourceARN = MemberConstraint(
        1...1_600, #"^arn:aws([a-z]|\-)*:events:([a-z]|\d|\-)*:([0-9]{12})?:.+\/.+$"#, fits: { isSourceARN($0) })
    static let nextToken = MemberConstraint(1...2_048)
    static let description = MemberConstraint(0...512)
    static let tagKey = MemberConstraint(1...128)
    static let tagValue = MemberConstraint(0...256)

    private static func isSourceARN(_ text: String) -> Bool {
        let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[1].hasPrefix("aws"), parts[2] == "events" else { return false }
        let isAccount = parts[4].isEmpty || parts[4].utf8.count == 12 && parts[4].utf8.allSatisfy { (0x30...0x39).contains($0) }
        let slash = parts[5].dropFirst().firstIndex(of: "/")
        return isAccount && slash.map { parts[5].index(after: $0) != parts[5].endIndex } ?? false
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isSign(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    /// Whether every character is one that the pattern takes.
    func takes(_ text: Substring) -> Bool { pattern.map { $0.fits(String(text)) } ?? true }

    /// Why a value is not taken; nil for one that is.
    func refusal(of value: String) -> String? {
        let length = value.unicodeScalars.count
        if length < lengths.lowerBound { return "Member must have length greater than or equal to \(lengths.lowerBound)" }
        if length > lengths.upperBound { return "Member must have length less than or equal to \(lengths.upperBound)" }
        guard let pattern, !pattern.fits(value) else { return nil }
        return "Member must satisfy regular expression pattern: \(pattern.text)"
    }

    /// Why a whole number, as JSON spells it, is not taken; nil for one that is, and for what is none.
    static func refusal(of number: String, outside bounds: ClosedRange<Int>) -> String? {
        guard let number = Int(number) else { return nil }
        if number < bounds.lowerBound { return "Member must have value greater than or equal to \(bounds.lowerBound)" }
        return number > bounds.upperBound ? "Member must have value less than or equal to \(bounds.upperBound)" : nil
    }

    /// What a value, nil for none, is refused with.
    ///
    /// The path is the member's as the service writes it: `targets.1.member.id`.
    static func message(_ value: String?, at path: String, _ constraint: String) -> String {
        let shown = value.map { "'\($0.count > shownMax ? $0.prefix(shownMax) + "…" : $0[...])'" } ?? "null"
        return "1 validation error detected: Value \(shown) at '\(path)' failed to satisfy constraint: \(constraint)"
    }

    /// The most characters of a value in an answer.
    private static let shownMax = 1_024
}
