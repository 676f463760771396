package import MQTTCodec

/// The shapes of load.
package enum LoadMode: String, Codable, CaseIterable, Sendable {
    /// N publishers, each with a topic and a subscriber of its own.
    case p2p
    /// N publishers on one topic with one subscriber.
    case fanin
    /// One publisher on one topic with N subscribers.
    case fanout
    /// Connections that come, are accepted, and go.
    case connect
}

/// Where a broker listens.
package struct BrokerAddress: Equatable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT`, also `[::1]:1883`; `nil` for anything else.
    package init?(parsing text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (1...65_535).contains(port) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() } else if host.contains(":") { return nil }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// How long the measured part of a run lasts.
package enum LoadAmount: Equatable, Sendable {
    /// This many PUBLISHes (or connections), over all publishers; rounded up to the same number for each.
    case messages(Int)
    case seconds(Double)
}

/// Everything that defines a run, except the broker that it is aimed at.
package struct LoadParameters: Equatable, Sendable {
    /// The most connections being opened at once: Debian's mosquitto listens with a backlog of 100.
    package static let openingMax = 64
    /// The largest payload, in bytes: leaves room for the topic within MQTT's own limit.
    package static let payloadBytesMax = 268_000_000
    /// The most connections of one run: about what one address has ports for.
    package static let connectionsMax = 60_000

    package var mode: LoadMode
    package var qos: QoS = .atMostOnce
    package var payloadBytes = 64
    package var publishers = 10
    package var subscribers = 10
    /// Further subscribers of mode `fanout` that stop reading before the first message.
    package var stalled = 0
    /// Whether subscribers have sessions that outlive their connections: what a broker acknowledges for them it must not lose.
    package var keepsSessions = false
    package var amount = LoadAmount.seconds(5)
    /// Messages outstanding per publisher in a closed loop.
    package var inflight = 200
    /// Messages per second over all publishers; `nil` for a closed loop.
    package var rate: Double?
    package var tls: TLSParameters?
    package var username: String?
    package var password: String?
    package var threads = 1
    /// Seconds without any progress after which a run ends.
    package var timeoutSeconds = 10.0
    /// Seconds of load before the measured part.
    package var warmUpSeconds = 0.5
    /// Connections under way at once in mode `connect`.
    package var concurrency = 64

    package init(mode: LoadMode) {
        self.mode = mode
    }

    /// Refuses what cannot be run, by the option's name.
    package func validate() throws(LoadError) {
        try require(
            (MessageStamp.byteCount...Self.payloadBytesMax).contains(payloadBytes),
            "--size must be \(MessageStamp.byteCount) to \(Self.payloadBytesMax): each message carries its number and its time")
        try require(publishers >= 1 && subscribers >= 1, "--publishers and --subscribers must be at least 1")
        try require(
            publishers <= Self.connectionsMax && subscribers <= Self.connectionsMax - publishers,
            "--publishers and --subscribers together must be at most \(Self.connectionsMax)")
        switch mode {
        case .p2p: try require(publishers == subscribers, "p2p has one subscriber per publisher: give --publishers alone")
        case .fanin: try require(subscribers == 1, "fanin has one subscriber: --subscribers does not apply")
        case .fanout: try require(publishers == 1, "fanout has one publisher: --publishers does not apply")
        case .connect: try require(rate == nil, "connect has no --rate: it opens connections as fast as --concurrency allows")
        }
        try require(!keepsSessions || (mode != .connect && qos > .atMostOnce), "--persistent applies to messages at QoS 1 and 2")
        try require(stalled == 0 || mode == .fanout, "--stalled applies to fanout alone")
        try require((0...Self.connectionsMax / 2).contains(stalled), "--stalled must be 0 to \(Self.connectionsMax / 2)")
        try require((1...Int(PublisherFlow.windowMax)).contains(inflight), "--inflight must be 1 to \(PublisherFlow.windowMax)")
        try require((1...1_024).contains(threads), "--threads must be 1 to 1024")
        try require((1...10_000).contains(concurrency), "--concurrency must be 1 to 10000")
        try require((0.1...86_400).contains(timeoutSeconds), "--timeout must be 0.1 to 86400 seconds")
        try require((0...3_600).contains(warmUpSeconds), "--warmup must be 0 to 3600 seconds")
        if let rate { try require((0.001...1e9).contains(rate), "--rate must be 0.001 to 1000000000 messages per second") }
        switch amount {
        case .messages(let count): try require((1...1_000_000_000_000).contains(count), "--messages must be 1 to 1000000000000")
        case .seconds(let seconds): try require((0.01...86_400).contains(seconds), "--seconds must be 0.01 to 86400")
        }
        try require(password == nil || username != nil, "--password needs --username: MQTT 3.1.1 allows no password alone")
        let longest = max(username?.utf8.count ?? 0, password?.utf8.count ?? 0)
        try require(longest <= 65_535, "--username and --password must be at most 65535 bytes")
    }

    private func require(_ condition: Bool, _ message: String) throws(LoadError) {
        guard condition else { throw .parameters(message) }
    }
}
