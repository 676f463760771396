/// A whole number with commas between thousands.
func grouped(_ value: Double) -> String {
    var digits = Substring(String(UInt64(max(0, min(value.rounded(), 1e18)))))
    var groups: [Substring] = []
    while digits.count > 3 {
        groups.insert(digits.suffix(3), at: 0)
        digits = digits.dropLast(3)
    }
    return ([digits] + groups).joined(separator: ",")
}

/// A number that is not negative, with `places` digits after the point.
func decimals(_ value: Double, _ places: Int) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = UInt64(max(0, min((value * scale).rounded(), 1e18)))
    guard places > 0 else { return String(scaled) }
    let digits = String(scaled)
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    return "\(padded.dropLast(places)).\(padded.suffix(places))"
}

/// A duration given in microseconds, in the unit that reads best.
func duration(_ microseconds: Double) -> String {
    if microseconds < 1_000 { return "\(decimals(microseconds, 0)) µs" }
    return microseconds < 1_000_000 ? "\(decimals(microseconds / 1_000, 1)) ms" : "\(decimals(microseconds / 1_000_000, 2)) s"
}

/// A number of bytes in millions.
func megabytes(_ bytes: Int) -> String { "\(decimals(Double(bytes) / 1_000_000, 1)) MB" }
