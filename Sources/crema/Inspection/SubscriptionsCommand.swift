import AdminServer
import ArgumentParser

/// `crema subscriptions`: who wants what, and who gets a topic.
struct SubscriptionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subscriptions", abstract: "List subscriptions, or who gets a message on a topic.",
        discussion: "Of a shared subscription all members are listed; each message goes to one of them.")

    @Option(help: "Who gets a message on this topic; rights are asked at delivery.")
    var topic: String?

    @Option(help: "Only those of this client.")
    var client: String?

    @Option(help: "Only those with exactly this filter.")
    var filter: String?

    @Option(help: "At most this many subscriptions.")
    var limit = 1_000

    @OptionGroup var options: InspectionOptions

    func validate() throws {
        if topic != nil, client != nil || filter != nil { throw ValidationError("--topic goes with neither --client nor --filter") }
    }

    func run() async throws {
        var query = ["limit": "\(limit)"]
        query["topic"] = topic
        query["client"] = client
        query["filter"] = filter
        try await InspectionClient.run(options) { client in
            let bytes = try await client.get("subscriptions", query: query)
            if options.json { return try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes)) }
            let list = try InspectionClient.decode(ListDocument<SubscriptionDocument>.self, from: bytes)
            try Self.table(of: list.rows, naming: true).write(to: .standard)
            if list.more {
                TerminalOutput.error.writeLine("crema: there are more subscriptions; raise --limit, or name a client or filter")
            }
        }
    }

    /// With the client's identifier and state in front, or without.
    static func table(of subscriptions: [SubscriptionDocument], naming isNamed: Bool) -> Table {
        var table =
            isNamed
            ? Table(["CLIENT": .left, "STATE": .left, "FILTER": .left, "QOS": .right, "OPTIONS": .left])
            : Table(["FILTER": .left, "QOS": .right, "OPTIONS": .left])
        for row in subscriptions {
            let client: [Table.Cell] = [
                .init(row.clientID), .init(row.connected ? "connected" : "offline", style: row.connected ? nil : .dim),
            ]
            table.add((isNamed ? client : []) + [.init(row.filter), .init(row.qos), .init(options(of: row))])
        }
        return table
    }

    private static func options(of row: SubscriptionDocument) -> String {
        var words: [String] = []
        if row.noLocal { words.append("no local") }
        if row.retainAsPublished { words.append("retain as published") }
        switch row.retainHandling {
        case 1: words.append("retained if new")
        case 2: words.append("no retained")
        default: break
        }
        if let identifier = row.subscriptionIdentifier { words.append("identifier \(identifier)") }
        return words.joined(separator: ", ")
    }
}
