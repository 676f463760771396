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
    /// Connections that are there, with one subscription each: their memory, and what happens when all are lost at once.
    case idle
    /// N users: a message of each, in JSON, that the broker's rules make a status of.
    case rules
    /// N publishers, each with a subscriber whose session is kept: acknowledgements, and that none of them was a lie.
    case durable

    /// Whether messages are what a run counts.
    package var sendsMessages: Bool { self != .connect && self != .idle }
    /// Whether each publisher has one subscriber of its own.
    package var isPaired: Bool { self == .p2p || self == .rules || self == .durable }
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

/// A broker that a run is aimed at.
package struct LoadTarget: Equatable, Sendable {
    package var address: BrokerAddress
    /// The process whose CPU time and memory are read, when it is on this machine.
    package var pid: Int32?
    /// Where the broker takes `PutEvents`: mode `rules` publishes there, and not by MQTT.
    package var events: BrokerAddress?

    package init(address: BrokerAddress, pid: Int32? = nil, events: BrokerAddress? = nil) {
        self.address = address
        self.pid = pid
        self.events = events
    }
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
    /// The most connections of one run; ports and open files may allow fewer.
    package static let connectionsMax = 2_000_000
    /// Messages per second over all bystanders of mode `idle`.
    package static let bystanderRate = 200.0

    package var mode: LoadMode
    package var version = MQTTVersion.v311
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
    /// Whether each client resumes its TLS session at its next connection; modes `connect` and `idle`.
    package var resumes = false
    /// The path of a WebSocket, or `nil` for MQTT on the bare stream.
    package var webSocketPath: String?
    package var username: String?
    package var password: String?
    package var threads = 1
    /// Seconds without any progress after which a run ends.
    package var timeoutSeconds = 10.0
    /// Seconds of load before the measured part.
    package var warmUpSeconds = 0.5
    /// Connections under way at once in modes `connect` and `idle`.
    package var concurrency = 64
    /// Connections of mode `idle`.
    package var connections = 1_000
    /// Whether mode `idle` loses all of them at once and waits until they are back.
    package var drops = false
    /// Pairs that exchange messages while mode `idle` loses its connections.
    package var bystanders = 10
    /// Messages for each subscriber of mode `durable` while it is away.
    package var offlineMessages = 100

    package init(mode: LoadMode) {
        self.mode = mode
    }

    /// How a message carries its stamp.
    package var format: MessageFormat { mode == .rules ? .json : .binary }

    /// Connections that are open at once, in all.
    package var connectionCount: Int {
        switch mode {
        case .connect: concurrency
        case .idle: connections + (drops ? 2 * bystanders : 0)
        default: publishers + subscribers + stalled
        }
    }

    /// Open files that a run takes: its connections, and what the process itself has open.
    package var openFileCount: Int { connectionCount + 64 + 8 * threads }
}
