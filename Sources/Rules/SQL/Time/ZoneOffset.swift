/// A time zone that is a distance from UTC: `UTC`, `GMT`, `Z`, `+01:00`, `UTC+1`.
///
/// Names of regions need a database of their rules, which is not part of the rules engine.
struct ZoneOffset: Equatable, Sendable {
    /// East of Greenwich.
    let seconds: Int64

    static let utc = ZoneOffset(seconds: 0)

    /// Nil for what names no distance.
    init?(_ name: some StringProtocol) {
        var rest = name[...]
        for prefix in ["UTC", "GMT", "UT", "Z"] where rest.hasPrefix(prefix) {
            rest = rest.dropFirst(prefix.count)
            if rest.isEmpty {
                seconds = 0
                return
            }
            if prefix == "Z" { return nil }
            break
        }
        guard let sign = rest.first, sign == "+" || sign == "-" else { return nil }
        let digits = rest.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard let distance = ZoneOffset.distance(digits) else { return nil }
        seconds = sign == "-" ? -distance : distance
    }

    init(seconds: Int64) { self.seconds = seconds }

    /// Of `1`, `01`, `0130`, or `01` and `30`.
    private static func distance(_ parts: [some StringProtocol]) -> Int64? {
        var numbers: [Int64] = []
        for part in parts {
            guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(JSONParser.isDigit), let number = Int64(part) else { return nil }
            numbers.append(number)
        }
        if parts.count == 1, parts[0].utf8.count > 2 { numbers = [numbers[0] / 100, numbers[0] % 100] }
        guard parts.count <= 2, numbers.count == 1 || numbers.count == 2, numbers[0] <= 18, numbers.last ?? 60 < 60 || numbers.count == 1
        else {
            return nil
        }
        return numbers[0] * 3_600 + (numbers.count == 2 ? numbers[1] * 60 : 0)
    }

    /// `+01:00`, or `+0100` without the colon.
    func text(colon: Bool) -> String {
        let minutes = abs(seconds) / 60
        return (seconds < 0 ? "-" : "+") + TimePattern.padded(minutes / 60, 2) + (colon ? ":" : "") + TimePattern.padded(minutes % 60, 2)
    }

    /// What the zone is called.
    var name: String { seconds == 0 ? "UTC" : text(colon: true) }
}
