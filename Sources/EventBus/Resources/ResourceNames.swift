/// The one name of what may be referred to in several ways, for those who ask whether a caller may.
extension ResourceSet {
    /// Of the bus that a call means: by its name, its ARN, or not at all.
    package static func busName(inReference reference: String?) -> String {
        reference.map { EventBusReader.name(inReference: $0) } ?? defaultBusName
    }

    /// The ARN with the rule of the default bus under its shorter name; others as they are.
    package static func plainARN(_ arn: String) -> String {
        guard let key = RuleKey(arn: arn), key.bus == defaultBusName else { return arn }
        let fields = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        return fields.dropLast().joined(separator: ":") + ":rule/\(key.name)"
    }
}
