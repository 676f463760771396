import AdminServer
import ArgumentParser
import NIOHTTP1

/// `crema clients`: who is connected, and whose session waits.
struct ClientsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clients", abstract: "List clients, show one with its subscriptions, close one's connection.",
        subcommands: [ClientsListCommand.self, ClientsShowCommand.self, ClientsKickCommand.self],
        defaultSubcommand: ClientsListCommand.self)
}

/// `crema clients list`, and `crema clients` alone.
///
/// A user name that nobody has proved stands in parentheses.
struct ClientsListCommand: AsyncParsableCommand {
    enum State: String, ExpressibleByArgument, CaseIterable {
        case connected
        case offline
    }

    enum Order: String, ExpressibleByArgument, CaseIterable {
        case slow
        case id
        case queued
        case dropped
        case inFlight
    }

    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List connected clients and sessions that wait for theirs, those that do not keep up first.")

    @Option(help: "Only those with this text in identifier, principal, user name or address.")
    var search: String?

    @Option(help: "Only these.")
    var state: State?

    @Option(help: "Which come first: those that do not keep up, or by identifier, or the greatest of a figure.")
    var sort = Order.slow

    @Option(help: "At most this many clients.")
    var limit = 1_000

    @OptionGroup var options: InspectionOptions

    func run() async throws {
        var query = ["sort": sort.rawValue, "limit": "\(limit)"]
        query["search"] = search
        query["state"] = state?.rawValue
        try await InspectionClient.run(options) { client in
            let bytes = try await client.get("clients", query: query)
            if options.json { return try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes)) }
            let list = try InspectionClient.decode(ListDocument<ClientDocument>.self, from: bytes)
            var table = Table([
                "CLIENT": .left, "STATE": .left, "FOR": .right, "PRINCIPAL": .left, "PEER": .left, "LISTENER": .left, "VERSION": .left,
                "SUBSCRIPTIONS": .right, "QUEUED": .right, "BYTES": .right, "IN FLIGHT": .right, "DROPPED": .right,
            ])
            for row in list.rows { table.add(Self.cells(row)) }
            try table.write(to: .standard)
            for client in list.rows { try ClientFacts.writeRefusals(of: client) }
            if list.more { TerminalOutput.error.writeLine("crema: there are more clients; raise --limit, or search") }
        }
    }

    private static func cells(_ client: ClientDocument) -> [Table.Cell] {
        let isSlow = client.slow ?? false
        let state = client.connected ? (isSlow ? "slow" : "connected") : "offline"
        return [
            .init(client.clientID), .init(state, style: client.connected ? (isSlow ? .red : nil) : .dim),
            .init(client.connected ? DurationText.short(seconds: client.connectedSeconds) : ""),
            .init(ClientFacts.principal(of: client)), .init(client.peer ?? ""), .init(client.listener ?? ""),
            .init(client.protocolVersion), .init(client.subscriptions), .init(client.queued), .init(client.queuedBytes ?? 0),
            .init(client.inFlight), .init(client.dropped, style: client.dropped > 0 ? .red : nil),
        ]
    }
}

/// What commands say of a client.
enum ClientFacts {
    /// In parentheses where nobody has proved it.
    static func principal(of client: ClientDocument) -> String { client.principal ?? client.userName.map { "(\($0))" } ?? "" }

    static func writeRefusals(of client: ClientDocument) throws(OutputClosed) {
        for refusal in client.refusals {
            let times = refusal.count == 1 ? "" : ", the last of \(refusal.count)"
            let line = "\(client.clientID) was refused to \(refusal.kind)\(times): \(refusal.reason)"
            try TerminalOutput.standard.write(line: TerminalText.escaped(line))
        }
    }
}

/// `crema clients show ID`: everything about one client.
struct ClientsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one client with its subscriptions.")

    @Argument(help: ArgumentHelp("The client's identifier.", valueName: "id"))
    var clientID: String

    @OptionGroup var options: InspectionOptions

    func run() async throws {
        try await InspectionClient.run(options) { client in
            let bytes = try await client.get("clients/\(InspectionClient.segment(clientID))")
            if options.json { return try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes)) }
            let document = try InspectionClient.decode(ClientDocument.self, from: bytes)
            for (name, value) in Self.facts(document) where !value.isEmpty {
                let title = (name + ":").padding(to: 16)
                try TerminalOutput.standard.write(line: title + TerminalText.escaped(value))
            }
            try ClientFacts.writeRefusals(of: document)
            guard let subscriptions = document.subscriptionList, !subscriptions.isEmpty else { return }
            try TerminalOutput.standard.write(line: "")
            try SubscriptionsCommand.table(of: subscriptions, naming: false).write(to: .standard)
        }
    }

    private static func facts(_ client: ClientDocument) -> [(String, String)] {
        let drops = client.drops.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        let tls = client.tls.map { tls in
            [tls.version, tls.cipher, tls.certificate.map { "certificate of \($0)" }].compactMap(\.self).joined(separator: ", ")
        }
        return [
            ("client", client.clientID),
            ("state", (client.connected ? "connected" : "offline") + (client.slow == true ? ", does not keep up" : "")),
            ("principal", ClientFacts.principal(of: client)), ("peer", client.peer ?? ""), ("listener", client.listener ?? ""),
            ("TLS", tls ?? ""), ("MQTT", client.protocolVersion), ("connected", client.connectedAt ?? ""),
            ("keep alive", client.connected ? "\(client.keepAliveSeconds) s" : ""),
            ("session", client.cleanSession ? "ends with the connection" : "waits for the client"),
            ("queue", "\(client.queued) messages, \(client.queuedBytes ?? 0) bytes"), ("in flight", "\(client.inFlight) messages"),
            ("dropped", client.dropped == 0 ? "0" : "\(client.dropped) (\(drops))"),
        ]
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}

/// `crema clients kick ID`: closes a client's connection.
struct ClientsKickCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kick", abstract: "Close a client's connection, and with --session end its session.",
        discussion: "A client of MQTT 5 is told 0x98, Administrative action. Nothing keeps it from connecting again.")

    @Argument(help: ArgumentHelp("The client's identifier.", valueName: "id"))
    var clientID: String

    @Flag(help: "End its session, too, with its subscriptions and what waits for it.")
    var session = false

    @OptionGroup var options: InspectionOptions

    func run() async throws {
        try await InspectionClient.run(options) { client in
            let bytes = try await client.change(
                .DELETE, "clients/\(InspectionClient.segment(clientID))", query: session ? ["session": "remove"] : [:])
            if options.json { return try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes)) }
            let document = try InspectionClient.decode(KickDocument.self, from: bytes)
            let facts = [
                document.closed ? "the connection is closed" : "it was not connected",
                document.sessionRemoved ? "the session has ended" : "the session waits for the client",
            ]
            try TerminalOutput.standard.write(line: TerminalText.escaped(clientID) + ": " + facts.joined(separator: ", "))
        }
    }
}
