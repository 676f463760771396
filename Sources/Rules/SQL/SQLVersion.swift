/// A version of the rules language, as `AwsIotSqlVersion` names it.
///
/// The older one has no literals for arrays and objects, no nested queries and fewer functions, and keeps `10.0` a Decimal.
package enum SQLVersion: String, Sendable, CaseIterable, Comparable {
    /// What a rule has that names none.
    case v2015 = "2015-10-08"
    case v2016 = "2016-03-23"

    package static func < (left: SQLVersion, right: SQLVersion) -> Bool { left.rawValue < right.rawValue }
}
