package import Documents

/// What a line of mosquitto's ACL file grants or denies to a client.
package struct AccessLine: Sendable {
    package enum Access: String, Sendable, CaseIterable {
        case read, write, readwrite, deny

        func covers(_ action: PolicyAction) -> Bool {
            switch action {
            case .publish, .retainPublish: self != .read
            case .subscribe, .receive: self != .write
            // Of nothing else does the file speak.
            default: false
            }
        }
    }

    package var access: Access
    /// As it stands in the file, placeholders and all.
    package var filter: String
    package var location: SourceLocation
    var levels: FilterLevels

    /// For an action on a topic, or a filter of which every topic must be meant.
    func applies(to action: PolicyAction, _ asked: FilterLevels) -> Bool { access.covers(action) && levels.contains(asked) }
}

/// mosquitto's ACL file (mosquitto.conf(5), `acl_file`): who may read and write which topics.
///
/// Lines `topic [read|write|readwrite|deny] FILTER` are for the user of the line `user NAME` before them, and before the first of these for
/// clients that prove nothing; lines `pattern […] FILTER`, with `%c` for the client identifier and `%u` for the user, are for all. Users are
/// the names that clients proved, by certificates, too. Lines that begin with `#` say nothing.
///
/// What no line grants is refused, so that an empty file refuses everything (CVE-2018-12550); a line that denies comes before all that grant.
package struct AccessFile: Sendable {
    private struct Pattern: Sendable {
        var line: AccessLine
        var text: [UInt8]
    }

    /// By bytes: `String` takes canonically equivalent names for equal.
    private var users: [[UInt8]: [AccessLine]] = [:]
    private var anonymous: [AccessLine] = []
    private var patterns: [Pattern] = []

    package var lineCount: Int { users.values.reduce(anonymous.count + patterns.count) { $0 + $1.count } }

    /// Reads a file.
    package init(file: String) throws(DocumentError) {
        try self.init(file: file, text: Node.readText(file: file))
    }

    /// Reads a text.
    ///
    /// - Parameters:
    ///   - file: how places in it are called.
    ///   - text: its lines.
    /// - Throws: every line that is not understood; half a file would grant or deny something else.
    package init(file: String, text: String) throws(DocumentError) {
        var problems = ProblemCollector()
        var user: [UInt8]?
        // Not by characters: a carriage return and a line feed are one.
        for (index, bytes) in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let line = Self.trimmed(bytes)
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            let location = SourceLocation(file: file, line: index + 1, column: 1)
            _ = problems.collect { () throws(DocumentError) in try read(line, at: location, &user) }
        }
        try problems.finish()
    }

    private mutating func read(
        _ line: Substring.UTF8View, at location: SourceLocation, _ user: inout [UInt8]?
    ) throws(DocumentError) {
        let (keyword, rest) = Self.firstWord(line)
        switch keyword {
        case "user":
            guard !rest.isEmpty else { throw DocumentError("`user` needs a name", at: location) }
            user = Array(rest)
            users[Array(rest), default: []] += []
        case "topic":
            let entry = try Self.entry(rest, at: location)
            if let problem = FilterLevels.problem(with: entry.filter.utf8) {
                throw DocumentError("`\(entry.filter)` is no topic filter: \(problem)", at: location)
            }
            if let user { users[user, default: []].append(entry) } else { anonymous.append(entry) }
        case "pattern":
            let entry = try Self.entry(rest, at: location)
            // As if both names were one plain letter.
            if let problem = FilterLevels.problem(with: Self.filled(Array(entry.filter.utf8), clientID: [0x78], user: [0x78])) {
                throw DocumentError("`\(entry.filter)` is no topic filter: \(problem)", at: location)
            }
            patterns.append(Pattern(line: entry, text: Array(entry.filter.utf8)))
        default:
            throw DocumentError(
                "`\(keyword)` begins no line of an ACL file\(suggestion(for: keyword, among: ["user", "topic", "pattern"]))", at: location)
        }
    }

    /// What follows `topic` or `pattern`; a filter with spaces in it needs the word for the access before it.
    private static func entry(_ text: Substring.UTF8View, at location: SourceLocation) throws(DocumentError) -> AccessLine {
        let (word, rest) = firstWord(text)
        guard !word.isEmpty else { throw DocumentError("a topic filter is missing", at: location) }
        var access = AccessLine.Access.readwrite
        var filter = word
        if !rest.isEmpty {
            guard let named = AccessLine.Access(rawValue: word) else {
                let known = AccessLine.Access.allCases.map(\.rawValue)
                throw DocumentError(
                    "`\(word)` is no access: there are \(known.joined(separator: ", "))\(suggestion(for: word, among: known))", at: location
                )
            }
            (access, filter) = (named, String(Substring(rest)))
        }
        return AccessLine(access: access, filter: filter, location: location, levels: FilterLevels(filter: filter.utf8))
    }

    /// What the file says of a client: lines that deny before those that grant.
    func lines(for subject: PolicySubject) -> [AccessLine] {
        let own = subject.principal.map { users[Array($0.utf8)] ?? [] } ?? anonymous
        let lines = own + patterns.compactMap { Self.line($0, for: subject) }
        return lines.filter { $0.access == .deny } + lines.filter { $0.access != .deny }
    }

    /// A pattern for one client; `nil` where it grants nothing, because a name in it is missing or would mean more than a name.
    ///
    /// Where such a pattern denies, everything is denied that it could mean for anybody (CVE-2017-7650 let a client named `+` read everything):
    /// where a name stands in the first level, also what begins with `$`, as the name may.
    private static func line(_ pattern: Pattern, for subject: PolicySubject) -> AccessLine? {
        var line = pattern.line
        let clientID = plainName(subject.clientID)
        let user = subject.principal.flatMap(plainName)
        let needsClientID = pattern.text.firstPlace(of: "%c") != nil
        let needsUser = pattern.text.firstPlace(of: "%u") != nil
        if (!needsClientID || clientID != nil) && (!needsUser || user != nil) {
            line.levels = FilterLevels(filter: filled(pattern.text, clientID: clientID ?? [], user: user ?? []))
            return line
        }
        guard line.access == .deny else { return nil }
        let whole = FilterLevels(filter: pattern.text).levels
        let plain = whole.prefix { level in
            guard case .literal(let name) = level else { return true }
            return name.firstPlace(of: "%c") == nil && name.firstPlace(of: "%u") == nil
        }
        line.levels = FilterLevels(levels: plain + [.rest], reachesSystemTopics: plain.isEmpty)
        return line
    }

    /// A name that stands for itself in a filter, and for nothing else.
    private static func plainName(_ text: String) -> [UInt8]? {
        let bytes = Array(text.utf8)
        return bytes.isEmpty || bytes.contains(where: forbidden.contains) ? nil : bytes
    }

    /// `$`, since a first level that begins with it means the broker's own topics, which no wildcard there grants [MQTT-4.7.2-1].
    private static let forbidden = Set("+#/$\0".utf8)

    /// Puts the names in place of `%c` and `%u`, in one pass: what a name says is not looked at again.
    private static func filled(_ pattern: [UInt8], clientID: [UInt8], user: [UInt8]) -> [UInt8] {
        var filled: [UInt8] = []
        var rest = pattern[...]
        while let byte = rest.popFirst() {
            switch (byte, rest.first) {
            case (UInt8(ascii: "%"), UInt8(ascii: "c")?): filled += clientID
            case (UInt8(ascii: "%"), UInt8(ascii: "u")?): filled += user
            default:
                filled.append(byte)
                continue
            }
            rest.removeFirst()
        }
        return filled
    }

    private static func firstWord(_ text: Substring.UTF8View) -> (word: String, rest: Substring.UTF8View) {
        let word = text.prefix { !isBlank($0) }
        return (String(Substring(word)), trimmed(text[word.endIndex...]))
    }

    private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        var rest = text.drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
        return rest
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
}

extension [UInt8] {
    /// Where a text of two ASCII characters begins.
    fileprivate func firstPlace(of text: StaticString) -> Int? {
        let wanted = Array("\(text)".utf8)
        return indices.first { self[$0...].starts(with: wanted) }
    }
}
