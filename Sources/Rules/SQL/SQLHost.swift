/// What the program lends the language when a statement is compiled: what `Rules` itself does not ask the system for.
///
/// Without it, functions that need it are refused by name.
package struct SQLHost: Sendable {
    /// The digest of bytes by an algorithm's name in lower case; nil for an algorithm that there is not.
    package typealias Digest = @Sendable (_ algorithm: String, _ bytes: [UInt8]) -> [UInt8]?

    package var digest: Digest?
    /// The rules of a time zone by its name, such as `Europe/Berlin`; nil for a name that nobody knows.
    package var zone: @Sendable (_ name: String) -> TimeZoneRules?
    /// The rules of every time zone, for names that come with messages.
    package var allZones: @Sendable () -> [String: TimeZoneRules]

    package init(
        digest: Digest? = nil, zone: @escaping @Sendable (String) -> TimeZoneRules? = { _ in nil },
        allZones: @escaping @Sendable () -> [String: TimeZoneRules] = { [:] }
    ) {
        self.digest = digest
        self.zone = zone
        self.allZones = allZones
    }
}
