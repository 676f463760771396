/// When a request was signed, to the second.
struct SignatureTime: Equatable {
    let secondsSince1970: Int64

    init(secondsSince1970: Int64) { self.secondsSince1970 = secondsSince1970 }

    /// `20261126T202918Z`, ISO 8601 as signatures have it.
    init?(basic text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else { return nil }
        let fields = [0..<4, 4..<6, 6..<8, 9..<11, 11..<13, 13..<15].map { Self.number(bytes[$0]) }
        guard let time = Self.seconds(fields) else { return nil }
        secondsSince1970 = time
    }

    /// `Thu, 26 Nov 2026 20:29:18 GMT`, as the header `Date` has it (RFC 9110, section 5.6.7).
    init?(httpDate text: String) {
        let bytes = Array(text.utf8)
        // botocore writes the zone as mail has it.
        let zones = [" GMT", " +0000", " -0000"].map { Array($0.utf8)[...] }
        guard bytes.count >= 29, Array(bytes[3...4]) == Array(", ".utf8), zones.contains(bytes[25...]) else { return nil }
        let month = Self.months.firstIndex { Array($0.utf8) == Array(bytes[8..<11]) }.map { Int64($0) + 1 }
        guard bytes[7] == UInt8(ascii: " "), bytes[11] == UInt8(ascii: " "), bytes[16] == UInt8(ascii: " "),
            bytes[19] == UInt8(ascii: ":"), bytes[22] == UInt8(ascii: ":")
        else { return nil }
        let fields = [12..<16, 5..<7, 17..<19, 20..<22, 23..<25].map { Self.number(bytes[$0]) }
        guard let time = Self.seconds([fields[0], month, fields[1], fields[2], fields[3], fields[4]]) else { return nil }
        secondsSince1970 = time
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    /// Of year, month, day, hour, minute and second; `nil` for a time that is none.
    private static func seconds(_ fields: [Int64?]) -> Int64? {
        let known = fields.compactMap(\.self)
        guard known.count == 6, (1970...9999).contains(known[0]), (1...12).contains(known[1]), known[3] < 24, known[4] < 60, known[5] < 60
        else { return nil }
        let (year, month) = (known[0], known[1])
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...lengths[Int(month) - 1]).contains(known[2]) else { return nil }
        let before = year - 1
        let leaps = before / 4 - before / 100 + before / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400)
        let days = (year - 1970) * 365 + leaps + lengths.prefix(Int(month) - 1).reduce(0, +) + known[2] - 1
        return ((days * 24 + known[3]) * 60 + known[4]) * 60 + known[5]
    }

    /// `20261126T202918Z`.
    var basic: String {
        var days = secondsSince1970.quotientAndRemainder(dividingBy: 86_400)
        if days.remainder < 0 { days = (days.quotient - 1, days.remainder + 86_400) }
        let date = CalendarDay(secondsSince1970: secondsSince1970).description.filter { $0 != "-" }
        let clock = [days.remainder / 3_600, days.remainder / 60 % 60, days.remainder % 60]
        return "\(date)T\(clock.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined())Z"
    }

    func advanced(bySeconds seconds: Int64) -> SignatureTime { SignatureTime(secondsSince1970: secondsSince1970 + seconds) }
}
