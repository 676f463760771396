/// A time zone as a message or a statement names it.
enum ClockZone: Sendable {
    case fixed(ZoneOffset)
    case region(String, TimeZoneRules)

    /// Nil for a name that is no distance and not among the regions.
    init?(_ name: String, regions: [String: TimeZoneRules]) {
        if let fixed = ZoneOffset(name) {
            self = .fixed(fixed)
        } else if let rules = regions[name] {
            self = .region(name, rules)
        } else {
            return nil
        }
    }

    /// How far clocks are ahead of UTC at a time in milliseconds since 1970, UTC, and what that is called.
    func kind(at milliseconds: Int64) -> (offset: ZoneOffset, abbreviation: String) {
        switch self {
        case .fixed(let zone): return (zone, zone.name)
        case .region(_, let rules):
            let kind = rules.kind(at: CivilTime.floored(milliseconds, by: 1_000).quotient)
            return (ZoneOffset(seconds: kind.offset), kind.abbreviation)
        }
    }

    var name: String {
        switch self {
        case .fixed(let zone): zone.name
        case .region(let name, _): name
        }
    }

    /// Milliseconds since 1970, UTC, when clocks show so many.
    func utc(ofLocal milliseconds: Int64) -> Int64 {
        switch self {
        case .fixed(let zone): return milliseconds - zone.seconds * 1_000
        case .region(_, let rules):
            let (seconds, rest) = CivilTime.floored(milliseconds, by: 1_000)
            return rules.utc(ofLocal: seconds) * 1_000 + rest
        }
    }
}
