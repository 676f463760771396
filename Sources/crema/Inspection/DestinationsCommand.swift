import AdminServer
import ArgumentParser

/// `crema destinations`: the API destinations that rules may call, with their connections.
struct DestinationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destinations", abstract: "List API destinations and connections, and where each is defined.")

    @OptionGroup var options: InspectionOptions

    func run() async throws {
        try await InspectionClient.run(options) { client in
            let bytes = try await client.get("destinations")
            if options.json { return try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes)) }
            let document = try InspectionClient.decode(DestinationsDocument.self, from: bytes)
            var table = Table([
                "DESTINATION": .left, "STATE": .left, "METHOD": .left, "ENDPOINT": .left, "CONNECTION": .left, "DEFINED AT": .left,
            ])
            for row in document.destinations {
                let state = row.reason.map { "inactive: \($0)" } ?? "active"
                table.add([
                    .init(row.name), .init(state, style: row.active ? nil : .red), .init(row.method), .init(row.endpoint),
                    .init(row.connection), .init(row.location),
                ])
            }
            try table.write(to: .standard)
            try TerminalOutput.standard.write(line: "")
            table = Table(["CONNECTION": .left, "STATE": .left, "TYPE": .left, "DEFINED AT": .left])
            for row in document.connections {
                table.add([
                    .init(row.name), .init(row.authorized ? "authorized" : "deauthorized", style: row.authorized ? nil : .red),
                    .init(row.authorizationType), .init(row.location),
                ])
            }
            try table.write(to: .standard)
        }
    }
}
