import AdminServer
import ArgumentParser

/// `crema topics`: what the topics carried.
struct TopicsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topics", abstract: "List the topics that carried messages since the broker started.")

    @Argument(help: "Only topics that match this filter.")
    var filter = "#"

    @Option(help: "At most this many topics.")
    var limit = 1_000

    @OptionGroup var options: InspectionOptions

    func run() async throws {
        try await InspectionClient.run(options) { client in
            let bytes = try await client.get("topics", query: ["filter": filter, "limit": "\(limit)"])
            if options.json { return try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes)) }
            let list = try InspectionClient.decode(ListDocument<TopicDocument>.self, from: bytes)
            var table = Table(["TOPIC": .left, "MESSAGES": .right, "BYTES": .right, "LAST": .right, "RETAINED": .left])
            for topic in list.rows {
                table.add([
                    .init(topic.topic), .init(topic.messages), .init(topic.bytes),
                    .init(DurationText.short(seconds: topic.lastSeenSeconds)), .init(topic.retained ? "yes" : "no"),
                ])
            }
            try table.write(to: .standard)
            if list.more { TerminalOutput.error.writeLine("crema: there are more topics; raise --limit or give a filter") }
        }
    }
}
