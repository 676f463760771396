package import Documents
package import Rules

/// An archive as a template or a call describes it.
package struct ArchiveDeclaration: Sendable {
    package let name: String
    package let bus: String
    /// The events that are kept; `nil` for all.
    package let pattern: EventPattern?
    /// JSON, as it came.
    package let patternText: String?
    /// Days after which an event is dropped; 0 for never.
    package let retentionDays: Int
    package let description: String?
    /// The place in a template, or the call.
    package let location: SourceLocation

    package static let retentionDaysMax = 36_500
    static let nameCharactersMax = 48
    static let descriptionCharactersMax = 512

    /// - Throws: when something of it is not valid.
    package init(
        name: String, bus: String, patternText: String?, retentionDays: Int = 0, description: String? = nil,
        location: SourceLocation = SourceLocation(file: "CreateArchive")
    ) throws(ControlError) {
        guard (1...Self.nameCharactersMax).contains(name.utf8.count), name.utf8.allSatisfy(isNameByte) else {
            throw .invalid("ArchiveName", name, "must be 1 to \(Self.nameCharactersMax) letters, digits and any of `.-_`")
        }
        guard (0...Self.retentionDaysMax).contains(retentionDays) else {
            throw .invalid("RetentionDays", String(retentionDays), "must be 0 to \(Self.retentionDaysMax)")
        }
        if let description, description.unicodeScalars.count > Self.descriptionCharactersMax {
            throw .invalid("Description", "…", "must have at most \(Self.descriptionCharactersMax) characters")
        }
        do throws(EventPatternError) {
            pattern = try patternText.map { (text) throws(EventPatternError) in try EventPattern(parsing: Array(text.utf8)) }
        } catch {
            throw ControlError(.invalidEventPattern, error.message)
        }
        (self.name, self.bus, self.patternText) = (name, bus, patternText)
        (self.retentionDays, self.description, self.location) = (retentionDays, description, location)
    }
}
