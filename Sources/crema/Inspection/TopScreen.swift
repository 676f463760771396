import AdminServer

/// What `crema top` shows of one second.
enum TopScreen {
    /// To a screen of its own, without a cursor; and back (xterm's control sequences).
    static let begin = "\u{1B}[?1049h\u{1B}[?25l"
    static let end = "\u{1B}[?25h\u{1B}[?1049l"

    private static let home = "\u{1B}[H"
    private static let restOfLine = "\u{1B}[K"
    private static let restOfScreen = "\u{1B}[J"

    /// Draws over what was there, no more lines than the terminal has.
    static func draw(_ document: LiveDocument, slowest: [ClientDocument], on output: TerminalOutput) throws {
        let size = output.size ?? (columns: 80, rows: 24)
        let lines = lines(document, slowest: slowest, width: size.columns, styled: output.styled).prefix(max(1, size.rows - 1))
        try output.write(text: home + lines.map { $0 + restOfLine + "\n" }.joined() + restOfScreen)
    }

    static func lines(
        _ document: LiveDocument, slowest: [ClientDocument], width: Int, styled: (String, TerminalOutput.Style) -> String
    ) -> [String] {
        let broker = document.statistics.broker
        let drops = document.rates.dropsPerSecond
        let dropText = "drops \(RateText.of(drops))/s"
        var lines = [
            styled("crema", .bold) + "  \(TerminalText.escaped(document.time))  up \(DurationText.short(seconds: broker.uptimeSeconds))",
            "",
            "clients   \(broker.clientsConnected) connected, \(broker.clientsOffline) offline, \(broker.subscriptions) subscriptions, "
                + "\(RateText.of(document.rates.connectsPerSecond)) connects/s",
            "messages  in \(RateText.of(document.rates.messagesInPerSecond))/s, out \(RateText.of(document.rates.messagesOutPerSecond))/s, "
                + (drops > 0 ? styled(dropText, .red) : dropText),
            "bytes     in \(bytes(document.rates.bytesInPerSecond))/s, out \(bytes(document.rates.bytesOutPerSecond))/s",
            "latency   \(latency(document.latency)), event loops \(RateText.of(document.eventLoopLagMilliseconds)) ms late",
            "waiting   \(broker.messagesQueued) queued, \(broker.messagesInFlight) in flight; \(broker.retainedMessages) retained",
        ]
        if !document.listeners.isEmpty {
            var table = Table(["LISTENER": .left, "CONNECTED": .right, "IN/S": .right, "BYTES IN/S": .right, "BYTES OUT/S": .right])
            for row in document.listeners {
                table.add([
                    .init(row.listener), .init(row.connected), .init(RateText.of(row.messagesInPerSecond)),
                    .init(bytes(row.bytesInPerSecond)), .init(bytes(row.bytesOutPerSecond)),
                ])
            }
            lines += [""] + table.lines(width: width, styled: styled)
        }
        if !slowest.isEmpty {
            var table = Table([
                "SLOWEST": .left, "STATE": .left, "QUEUED": .right, "BYTES": .right, "IN FLIGHT": .right, "DROPPED": .right,
                "PEER": .left,
            ])
            for row in slowest {
                table.add([
                    .init(row.clientID), .init(row.slow == true ? "slow" : "even", style: row.slow == true ? .red : nil),
                    .init(row.queued), .init(row.queuedBytes ?? 0), .init(row.inFlight),
                    .init(row.dropped, style: row.dropped > 0 ? .red : nil), .init(row.peer ?? ""),
                ])
            }
            lines += [""] + table.lines(width: width, styled: styled)
        }
        return lines
    }

    /// The same in one line, for a pipe.
    static func line(_ document: LiveDocument) -> String {
        let (broker, rates) = (document.statistics.broker, document.rates)
        return TerminalText.escaped(document.time)
            + "  clients \(broker.clientsConnected)  in \(RateText.of(rates.messagesInPerSecond))/s  out \(RateText.of(rates.messagesOutPerSecond))/s"
            + "  drops \(RateText.of(rates.dropsPerSecond))/s  latency \(latency(document.latency))"
            + "  late \(RateText.of(document.eventLoopLagMilliseconds)) ms  queued \(broker.messagesQueued)"
    }

    private static func latency(_ latency: LiveDocument.Latency) -> String {
        guard let half = latency.p50Milliseconds, let most = latency.p99Milliseconds else { return "-" }
        return "\(RateText.of(half)) ms, 99 % within \(RateText.of(most)) ms"
    }

    /// `512 B`, `12.3 KB`, `4.0 MB`.
    static func bytes(_ count: Double) -> String {
        switch count {
        case ..<1_000: "\(Int(max(0, count))) B"
        case ..<1_000_000: RateText.of(count / 1_000) + " KB"
        default: RateText.of(count / 1_000_000) + " MB"
        }
    }
}
