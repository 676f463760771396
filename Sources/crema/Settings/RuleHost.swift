import Foundation
import Rules
import Trust

/// What this program lends the statements of topic rules: hash functions and time zones.
enum RuleHost {
    static let host = SQLHost(
        digest: { Digest.hash($1, algorithm: $0) }, zone: { zones.rules(named: $0) }, allZones: { everyZone })

    private static let everyZone = zones.all
    private static let zones = ZoneFiles(folder: URL(filePath: "/usr/share/zoneinfo"))
}

/// The system's files of time zones, read when the first rule asks for them.
private struct ZoneFiles: Sendable {
    /// A file of rules is a few thousand bytes long.
    private static let fileBytesMax = 65_536

    let folder: URL

    /// Nil for a name that is none, or without such a file.
    func rules(named name: String) -> TimeZoneRules? {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isName = parts.allSatisfy { part in
            part.first?.isLetter ?? false && part.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ".") }
        }
        guard isName, let data = try? Data(contentsOf: folder.appending(path: name)), data.count <= Self.fileBytesMax else { return nil }
        return TimeZoneRules(parsing: Array(data))
    }

    /// Every zone by all its names, as the database's own list has them.
    var all: [String: TimeZoneRules] {
        guard let list = try? String(contentsOf: folder.appending(path: "tzdata.zi"), encoding: .utf8) else { return [:] }
        var table: [String: TimeZoneRules] = [:]
        for line in list.split(separator: "\n") {
            let fields = line.split(separator: " ")
            let name: Substring? =
                switch fields.first {
                case "Z": fields.count > 1 ? fields[1] : nil
                case "L": fields.count > 2 ? fields[2] : nil
                default: nil
                }
            if let name { table[String(name)] = rules(named: String(name)) }
        }
        return table
    }
}
