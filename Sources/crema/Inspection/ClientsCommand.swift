import AdminServer
import ArgumentParser

/// `crema clients`: who is connected, and whose session waits.
///
/// A user name that nobody has proved stands in parentheses.
struct ClientsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clients", abstract: "List connected clients and sessions that wait for theirs.")

    @OptionGroup var options: InspectionOptions

    func run() async throws {
        try await InspectionClient.run(options) { client in
            let bytes = try await client.get("clients")
            if options.json { return try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes)) }
            let list = try InspectionClient.decode(ListDocument<ClientDocument>.self, from: bytes)
            var table = Table([
                "CLIENT": .left, "STATE": .left, "FOR": .right, "PRINCIPAL": .left, "PEER": .left, "LISTENER": .left, "VERSION": .left,
                "SUBSCRIPTIONS": .right, "QUEUED": .right, "IN FLIGHT": .right, "DROPPED": .right,
            ])
            for row in list.rows { table.add(Self.cells(row)) }
            try table.write(to: .standard)
            for client in list.rows {
                for refusal in client.refusals {
                    let times = refusal.count == 1 ? "" : ", the last of \(refusal.count)"
                    let line = "\(client.clientID) was refused to \(refusal.kind)\(times): \(refusal.reason)"
                    try TerminalOutput.standard.write(line: TerminalText.escaped(line))
                }
            }
            if list.more { TerminalOutput.error.writeLine("crema: there are more clients than the broker lists at once") }
        }
    }

    private static func cells(_ client: ClientDocument) -> [Table.Cell] {
        [
            .init(client.clientID), .init(client.connected ? "connected" : "offline", style: client.connected ? nil : .dim),
            .init(client.connected ? DurationText.short(seconds: client.connectedSeconds) : ""),
            .init(client.principal ?? client.userName.map { "(\($0))" } ?? ""), .init(client.peer ?? ""), .init(client.listener ?? ""),
            .init(client.protocolVersion), .init(client.subscriptions), .init(client.queued), .init(client.inFlight),
            .init(client.dropped, style: client.dropped > 0 ? .red : nil),
        ]
    }
}
