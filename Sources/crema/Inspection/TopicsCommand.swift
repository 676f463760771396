import AdminServer
import ArgumentParser

/// `crema topics`: what the topics carried.
struct TopicsCommand: AsyncParsableCommand {
    enum Order: String, ExpressibleByArgument, CaseIterable {
        case topic
        case messages
        case lastSeen
    }

    static let configuration = CommandConfiguration(
        commandName: "topics", abstract: "List the topics that carried messages since the broker started, or a level of their tree.",
        discussion: """
            With --tree the argument is the beginning of topics: the level below it is shown, each name with all that is below it, and the \
            beginning of a topic's last payload.
            """)

    @Argument(help: "Only topics that match this filter; with --tree those below this topic.")
    var filter: String?

    @Flag(help: "Show one level of the tree of topics.")
    var tree = false

    @Option(help: "Only topics in which this text stands.")
    var search: String?

    @Option(help: "What the list is sorted by: the most messages, or the last seen, come first.")
    var sort = Order.topic

    @Option(help: "At most this many rows.")
    var limit = 1_000

    @OptionGroup var options: InspectionOptions

    func validate() throws {
        if tree, sort != .topic { throw ValidationError("--tree is sorted by name: --sort is for the list") }
    }

    func run() async throws {
        try await InspectionClient.run(options) { client in
            let more = tree ? try await showTree(client) : try await showList(client)
            if more { TerminalOutput.error.writeLine("crema: there are more topics; raise --limit, or give a filter or --search") }
        }
    }

    private func showList(_ client: InspectionClient) async throws -> Bool {
        var query = ["filter": filter ?? "#", "sort": sort.rawValue, "limit": "\(limit)"]
        query["search"] = search
        let bytes = try await client.get("topics", query: query)
        if options.json {
            try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes))
            return false
        }
        let list = try InspectionClient.decode(ListDocument<TopicDocument>.self, from: bytes)
        var table = Table([
            "TOPIC": .left, "MESSAGES": .right, "PER SECOND": .right, "BYTES": .right, "LAST": .right, "RETAINED": .left,
        ])
        for topic in list.rows {
            table.add([
                .init(topic.topic), .init(topic.messages), .init(RateText.of(topic.messagesPerSecond ?? 0)), .init(topic.bytes),
                .init(DurationText.short(seconds: topic.lastSeenSeconds)), .init(topic.retained ? "yes" : "no"),
            ])
        }
        try table.write(to: .standard)
        return list.more
    }

    private func showTree(_ client: InspectionClient) async throws -> Bool {
        var query = ["limit": "\(limit)"]
        query["under"] = filter.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        query["search"] = search
        let bytes = try await client.get("topics/tree", query: query)
        if options.json {
            try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes))
            return false
        }
        let list = try InspectionClient.decode(ListDocument<TopicBranchDocument>.self, from: bytes)
        var table = Table([
            "NAME": .left, "TOPICS": .right, "MESSAGES": .right, "PER SECOND": .right, "BYTES": .right, "LAST": .right, "RETAINED": .left,
            "PAYLOAD": .left,
        ])
        for branch in list.rows {
            table.add([
                .init(branch.name + (branch.children > 0 ? "/" : "")), .init(branch.topics), .init(branch.messages),
                .init(RateText.of(branch.messagesPerSecond)), .init(branch.bytes),
                .init(branch.lastSeenSeconds.map { DurationText.short(seconds: $0) } ?? ""), .init(branch.retained ? "yes" : "no"),
                .init(PayloadLine.of(branch)),
            ])
        }
        try table.write(to: .standard)
        return list.more
    }
}

/// A rate as people read it.
enum RateText {
    /// `12345`, `123`, `12.3`, `0.04`; `0` for none.
    static func of(_ rate: Double) -> String {
        switch rate {
        case ..<0.005: "0"
        case ..<1: decimals(rate, 100, width: 2)
        case ..<100: decimals(rate, 10, width: 1)
        default: "\(Int(clamping: Int64(min(rate.rounded(), 9e15))))"
        }
    }

    private static func decimals(_ rate: Double, _ parts: Int, width: Int) -> String {
        let value = Int((rate * Double(parts)).rounded())
        let rest = String(value % parts)
        return "\(value / parts)." + String(repeating: "0", count: width - rest.count) + rest
    }
}

/// The beginning of a payload in a cell.
enum PayloadLine {
    static func of(_ branch: TopicBranchDocument) -> String {
        guard let payload = branch.lastPayload else { return "" }
        let text = of(payload, branch.encoding ?? .utf8, truncatedAt: branch.truncated == true ? branch.payloadBytes : nil)
        let since = branch.messagesSince ?? 0
        return since == 0 ? text : text + " (\(since) since)"
    }

    static func of(_ payload: String, _ encoding: TailDocument.Encoding, truncatedAt bytes: Int?) -> String {
        (encoding == .base64 ? "base64:" : "") + payload + (bytes.map { " … (\($0) bytes)" } ?? "")
    }
}
