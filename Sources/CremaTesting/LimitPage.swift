/// The page of limits, row by row, for tests that compare it with the limits that there are.
package struct LimitPage {
    package struct Row: Sendable {
        /// The heading that it stands under.
        package var section: String
        package var name: String
        /// The default, without separators.
        package var value: String
        package var text: String
    }

    package enum Section: String, CaseIterable {
        case eventLoops = "Event loops"
        case credentials = "Passwords"
        case gateway = "Listeners of kind http"
        case signatures = "Signed requests"
        case inspection = "Listeners of kind admin"
        case tokens = "Tokens"
        case store = "The store"
        case eventBus = "The event bus"
        case deliveries = "Deliveries that wait"
        case things = "Things, certificates and policies by API"
    }

    package let rows: [Row]

    /// Where it lies.
    package static var path: String {
        let file = #filePath
        guard let sources = file.firstRange(of: "/Sources/CremaTesting/") else { return file }
        return file[..<sources.lowerBound] + "/Sources/BrokerCore/Documentation.docc/Limits.md"
    }

    /// Reads the rows that begin with a name and a number.
    package init(text: String) {
        var section = ""
        var rows: [Row] = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("### ") { section = String(line.dropFirst(4)) }
            let cells = line.split(separator: "|").map { String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
            guard cells.count == 4, cells[0].hasPrefix("`") else { continue }
            rows.append(
                Row(
                    section: section, name: cells[0].filter { $0 != "`" }, value: cells[1].filter { $0 != "," }, text: String(line)))
        }
        self.rows = rows
    }

    /// Of one part; `nil` for those of MQTT.
    package func rows(of section: Section?) -> [Row] {
        rows.filter { Section(rawValue: $0.section) == section }
    }

    /// What differs between the page's part and the limits of that part: names, order aside, and defaults.
    package func differences<Limits>(
        of section: Section?, from limits: Limits, _ names: [(name: String, path: any WritableKeyPath<Limits, Int> & Sendable)]
    ) -> [String] {
        let rows = rows(of: section)
        let stated = rows.map { "\($0.name) \($0.value)" }
        let real = names.map { name, path in
            let value = limits[keyPath: path]
            return "\(name) \(value == .max ? "none" : "\(value)")"
        }
        let properties = Mirror(reflecting: limits).children.compactMap(\.label)
        return Set(stated).symmetricDifference(real).sorted() + (stated.count == Set(stated).count ? [] : ["a row stands twice"])
            + Set(properties).symmetricDifference(names.map(\.name)).sorted().map { "\($0) cannot be configured" }
    }
}
