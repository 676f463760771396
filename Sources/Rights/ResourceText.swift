import Documents

/// A resource as it stands in a policy: an ARN, with wildcards and variables.
struct ResourceText: Sendable {
    private enum Part: Sendable {
        case literal([UInt8])
        case anyRun
        case anyOne
        case variable(PolicyVariable)
        case certificate(CertificateVariable)
        case claim(ClaimVariable)
        case thing(ThingVariable)
    }

    /// Of what follows the account in the ARN: `topic/orders/*`.
    private var parts: [Part] = []
    /// Whose resource it is; `nil` for `*`.
    let service: String?

    /// Reads an ARN or `*`.
    ///
    /// Region and account are not looked at: Crema stands in for all of them, as for the ARNs of targets.
    init(_ text: String, at location: SourceLocation) throws(DocumentError) {
        if text == "*" {
            service = nil
            parts = [.anyRun]
            return
        }
        let fields = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard fields.count == 6, fields[0] == "arn", let kinds = PolicyAction.kindsOfServices[String(fields[2])] else {
            let services = PolicyAction.kindsOfServices.keys.sorted().joined(separator: ", ")
            throw DocumentError(
                "`\(text)` is neither `*` nor an ARN of \(services) (arn:aws:iot:REGION:ACCOUNT:topic/…)", at: location)
        }
        service = String(fields[2])
        parts = try Self.parts(of: fields[5], at: location)
        guard kinds.isEmpty || kinds.contains(where: { couldBe(kind: $0) }) else {
            let known = kinds.map { "\($0)/…" }.joined(separator: ", ")
            throw DocumentError("`\(text)` is no resource that anybody asks for: there are \(known)", at: location)
        }
    }

    /// Whether the action could be asked for the resource.
    func couldBe(for action: PolicyAction) -> Bool {
        guard service == nil || service == action.service else { return false }
        return action.resourceKinds.isEmpty || action.resourceKinds.contains { couldBe(kind: $0) }
    }

    /// Reads a value of a condition, in which `*` and `?` are wildcards for some operators only.
    init(value text: String, hasWildcards: Bool, at location: SourceLocation) throws(DocumentError) {
        service = nil
        parts = try Self.parts(of: text[...], hasWildcards: hasWildcards, at: location)
    }

    private static func parts(
        of text: Substring, hasWildcards: Bool = true, at location: SourceLocation
    ) throws(DocumentError) -> [Part] {
        var parts: [Part] = []
        var literal: [UInt8] = []
        func flush() {
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = []
        }
        var rest = text.utf8
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*") where hasWildcards:
                flush()
                parts.append(.anyRun)
            case UInt8(ascii: "?") where hasWildcards:
                flush()
                parts.append(.anyOne)
            case UInt8(ascii: "$") where rest.first == UInt8(ascii: "{"):
                guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else {
                    throw DocumentError("`\(text)`: `${` has no `}`", at: location)
                }
                let name = String(Substring(rest[rest.index(after: rest.startIndex)..<end]))
                rest = rest[rest.index(after: end)...]
                if ["*", "?", "$"].contains(name) {
                    literal.append(contentsOf: name.utf8)
                } else {
                    flush()
                    parts.append(try variable(name, at: location))
                }
            default: literal.append(byte)
            }
        }
        flush()
        return parts
    }

    private static func variable(_ name: String, at location: SourceLocation) throws(DocumentError) -> Part {
        if let variable = PolicyVariable(rawValue: name) { return .variable(variable) }
        if let variable = CertificateVariable(name) { return .certificate(variable) }
        if let claim = ClaimVariable(name) { return .claim(claim) }
        if let thing = ThingVariable(name) { return .thing(thing) }
        let known =
            PolicyVariable.allCases.map(\.rawValue) + [ThingVariable.type] + CertificateVariable.known + ["\(ClaimVariable.prefix)sub"]
        throw DocumentError("the policy variable ${\(name)} is not supported\(suggestion(for: name, among: known))", at: location)
    }

    /// Whether a resource of this kind could be meant: `topic` by `topic/…`, and by `*`.
    private func couldBe(kind: String) -> Bool {
        let wanted = Array("\(kind)/".utf8)
        switch parts.first {
        case .literal(let bytes):
            let shared = min(bytes.count, wanted.count)
            return bytes[..<shared] == wanted[..<shared] && (bytes.count >= wanted.count || parts.count > 1)
        case .anyRun, .anyOne: return true
        case .variable, .certificate, .claim, .thing, nil: return false
        }
    }

    /// Whether something in it is filled by more than the client's names.
    var asksForAttributes: Bool {
        parts.contains { part in
            switch part {
            case .certificate: true
            // Claims come with the token, whoever asks, and things with the certificate's identifier.
            case .literal, .anyRun, .anyOne, .variable, .claim, .thing: false
            }
        }
    }

    /// The resource for one client; `nil` where a variable stands for nothing.
    func pattern(for subject: PolicySubject) -> ResourcePattern? {
        var pattern = ResourcePattern()
        for part in parts {
            switch part {
            case .literal(let bytes): pattern.append(bytes)
            case .anyRun: pattern.appendAnyRun()
            case .anyOne: pattern.appendAnyOne()
            case .variable(let variable):
                guard let value = variable.value(for: subject) else { return nil }
                pattern.append(value.utf8)
            case .certificate(let variable):
                guard let value = variable.value(for: subject) else { return nil }
                pattern.append(value.utf8)
            case .claim(let claim):
                guard let value = claim.value(for: subject) else { return nil }
                pattern.append(value.utf8)
            case .thing(let thing):
                guard let value = thing.value(for: subject) else { return nil }
                pattern.append(value.utf8)
            }
        }
        return pattern
    }

    /// The resource with any text in its variables' places.
    var widestPattern: ResourcePattern {
        var pattern = ResourcePattern()
        for part in parts {
            switch part {
            case .literal(let bytes): pattern.append(bytes)
            case .anyRun, .variable, .certificate, .claim, .thing: pattern.appendAnyRun()
            case .anyOne: pattern.appendAnyOne()
            }
        }
        return pattern
    }
}
