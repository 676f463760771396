import ArgumentParser
import LoadGenerator
import MQTTCodec

/// The options that shape the load.
struct LoadOptions: ParsableArguments {
    @Option(help: "Quality of service, 0, 1 or 2, of publishing and subscribing (default: 0, in durable 1).")
    var qos: UInt8?

    @Option(help: ArgumentHelp("Payload (default: 64, in rules and durable 256).", valueName: "bytes"))
    var size: Int?

    @Option(help: "Publishers, of p2p, fanin and durable (default: 10, or 200 with --inflight 1; in durable 64).")
    var publishers: Int?

    @Option(help: "Subscribers, of fanout (default: 500).")
    var subscribers: Int?

    @Option(help: "Users, of rules: as many as the broker has rules for (default: 10).")
    var users: Int?

    @Option(help: "Further subscribers, of fanout, that read nothing: what they do to the others (default: 0).")
    var stalled: Int?

    @Flag(help: "Subscribers have sessions that outlive their connections: what a broker acknowledges for them it must not lose.")
    var persistent = false

    @Option(
        help: ArgumentHelp(
            "In durable: for each subscriber while it is away, after the measured part (default: 100).", valueName: "messages"))
    var offline: Int?

    @Option(help: "Connections, of idle (default: 1000).")
    var connections: Int?

    @Flag(help: "In idle: lose all connections at once, without a goodbye, and measure how they come back.")
    var drop = false

    @Option(help: ArgumentHelp("In idle with --drop: pairs that exchange messages meanwhile (default: 10).", valueName: "pairs"))
    var bystanders: Int?

    @Option(help: "Length of the measured part: PUBLISHes over all publishers, or connections.")
    var messages: Int?

    @Option(help: "Length of the measured part in seconds (default: 5; in idle, how long the connections stand, 2).")
    var seconds: Double?

    @Option(
        help:
            "Messages outstanding per publisher (default: 200; 64 in durable, 20 with MQTT 5 at QoS 1 and 2). mosquitto takes 20 at QoS 2.")
    var inflight: Int?

    @Option(help: ArgumentHelp("Open loop: messages per second over all publishers.", valueName: "messages-per-second"))
    var rate: Double?

    @Option(help: "Connections under way at once, of connect and idle (default: 64).")
    var concurrency: Int?

    @Option(help: "Seconds of load before the measured part (default: 0.5).")
    var warmup: Double?

    @Option(help: "Seconds without progress after which the run ends.")
    var timeout = 10.0

    @Option(help: "Threads of the generator.")
    var threads = 1

    /// What the options mean together, without the transport; refuses by name what does not apply to the mode.
    func parameters(mode: LoadMode, version: MQTTVersion) throws(LoadError) -> LoadParameters {
        var parameters = LoadParameters(mode: mode)
        try refuseForeignOptions(mode: mode)
        guard let qos = QoS(rawValue: qos ?? (mode == .durable ? 1 : 0)) else { throw .parameters("--qos must be 0, 1 or 2") }
        parameters.qos = qos
        parameters.payloadBytes = size ?? (mode == .rules || mode == .durable ? 256 : 64)
        let window = version == .v5 && qos > .atMostOnce ? 20 : mode == .durable ? 64 : 200
        parameters.inflight = inflight ?? window
        parameters.stalled = stalled ?? 0
        parameters.keepsSessions = persistent || mode == .durable
        parameters.rate = rate
        setCounts(&parameters)
        guard messages == nil || seconds == nil else { throw .parameters("--messages and --seconds exclude each other") }
        parameters.amount = messages.map { .messages($0) } ?? .seconds(seconds ?? (mode == .idle ? 2 : 5))
        parameters.concurrency = concurrency ?? parameters.concurrency
        parameters.warmUpSeconds = warmup ?? parameters.warmUpSeconds
        parameters.timeoutSeconds = timeout
        parameters.threads = threads
        return parameters
    }

    private func setCounts(_ parameters: inout LoadParameters) {
        switch parameters.mode {
        case .p2p, .durable:
            let usual = parameters.mode == .durable ? 64 : inflight == 1 ? 200 : 10
            parameters.publishers = publishers ?? subscribers ?? usual
            parameters.subscribers = subscribers ?? parameters.publishers
        case .rules:
            parameters.publishers = users ?? 10
            parameters.subscribers = parameters.publishers
        case .fanin:
            parameters.publishers = publishers ?? (inflight == 1 ? 200 : 10)
            parameters.subscribers = subscribers ?? 1
        case .fanout:
            parameters.publishers = publishers ?? 1
            parameters.subscribers = subscribers ?? 500
        case .idle:
            parameters.connections = connections ?? parameters.connections
            parameters.drops = drop
            parameters.bystanders = bystanders ?? parameters.bystanders
        case .connect: break
        }
        parameters.offlineMessages = offline ?? parameters.offlineMessages
    }

    /// Each option that was given and not every mode has, with the modes that have it.
    private var limitedOptions: [(name: String, isGiven: Bool, modes: Set<LoadMode>)] {
        let messages: Set<LoadMode> = [.p2p, .fanin, .fanout, .rules, .durable]
        return [
            ("--qos", qos != nil, messages.union([.idle])), ("--size", size != nil, messages), ("--inflight", inflight != nil, messages),
            ("--rate", rate != nil, messages), ("--publishers", publishers != nil, messages.subtracting([.rules])),
            ("--subscribers", subscribers != nil, messages.subtracting([.rules])), ("--users", users != nil, [.rules]),
            ("--stalled", stalled != nil, [.fanout]), ("--persistent", persistent, messages.subtracting([.durable])),
            ("--offline", offline != nil, [.durable]), ("--connections", connections != nil, [.idle]), ("--drop", drop, [.idle]),
            ("--bystanders", bystanders != nil, [.idle]), ("--messages", self.messages != nil, messages.union([.connect])),
            ("--concurrency", concurrency != nil, [.connect, .idle]), ("--warmup", warmup != nil, messages.union([.connect])),
        ]
    }

    private func refuseForeignOptions(mode: LoadMode) throws(LoadError) {
        for (name, isGiven, modes) in limitedOptions where isGiven && !modes.contains(mode) {
            if mode == .durable {
                throw .parameters("\(name) does not apply to durable: its subscribers always have sessions that are kept")
            }
            let others = LoadMode.allCases.filter(modes.contains).map(\.rawValue).joined(separator: ", ")
            throw .parameters("\(name) does not apply to \(mode.rawValue), but to \(others)")
        }
        if rate != nil, inflight != nil { throw .parameters("--rate and --inflight exclude each other: an open loop does not wait") }
        if bystanders != nil, !drop { throw .parameters("--bystanders needs --drop: without a loss there is nothing to stand by") }
    }
}

/// The options that say how the generator speaks with the broker.
struct TransportOptions: ParsableArguments {
    @Option(name: .customLong("mqtt"), help: ArgumentHelp("Version of MQTT, 3.1.1 or 5.", valueName: "version"))
    var version = MQTTVersion.v311

    @Flag(help: "MQTT over WebSocket.")
    var websocket = false

    @Option(help: "Path of the WebSocket (default: /mqtt).")
    var path: String?

    @Option(help: "User name for every connection.")
    var username: String?

    @Option(help: "Password for every connection.")
    var password: String?

    @Option(help: ArgumentHelp("TLS: PEM file of the authorities to trust.", valueName: "file"))
    var ca: String?

    @Option(help: ArgumentHelp("TLS: PEM file of the client certificate.", valueName: "file"))
    var cert: String?

    @Option(help: ArgumentHelp("TLS: PEM file of the client certificate's key.", valueName: "file"))
    var key: String?

    @Flag(help: "TLS: accept any server certificate.")
    var insecure = false

    @Option(help: "TLS: the one version to speak, 1.2 or 1.3. Any TLS option but --resume turns TLS on.")
    var tlsVersion: TLSParameters.Version?

    @Flag(help: "TLS, in connect and idle: each client resumes the session of its last connection.")
    var resume = false

    func add(to parameters: inout LoadParameters) throws(LoadError) {
        guard websocket || path == nil else { throw .parameters("--path needs --websocket") }
        parameters.version = version
        parameters.webSocketPath = websocket ? path ?? "/mqtt" : nil
        parameters.username = username
        parameters.password = password
        parameters.resumes = resume
        guard ca != nil || cert != nil || key != nil || insecure || tlsVersion != nil else { return }
        var tls = TLSParameters()
        tls.authorityFile = ca
        tls.certificateFile = cert
        tls.keyFile = key
        tls.isInsecure = insecure
        tls.version = tlsVersion
        parameters.tls = tls
    }
}

/// The options that name the brokers.
struct BrokerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The broker.", valueName: "host:port"))
    var broker: BrokerAddress?

    @Option(help: "The broker's process on this machine, to read its CPU time and memory.")
    var pid: Int32?

    @Option(help: ArgumentHelp("In rules: put events here, by HTTP, and publish no orders by MQTT.", valueName: "host:port"))
    var events: BrokerAddress?

    @Option(help: ArgumentHelp("A further broker, measured in turns with the first; may be given again.", valueName: "host:port"))
    var against: [BrokerAddress] = []

    @Option(help: "The further broker's process; in the order of --against.")
    var againstPid: [Int32] = []

    @Option(help: ArgumentHelp("Where the further broker takes events; in the order of --against.", valueName: "host:port"))
    var againstEvents: [BrokerAddress] = []

    @Option(help: "How often each broker is measured (default: 1, with --against 3).")
    var rounds: Int?

    /// How many rounds, over which brokers.
    func plan(mode: LoadMode) throws(LoadError) -> (rounds: Int, targets: [LoadTarget]) {
        guard let broker else { throw .parameters("--broker is missing: which broker, as host:port?") }
        for (name, count) in [("--against-pid", againstPid.count), ("--against-events", againstEvents.count)] {
            guard count == 0 || count == against.count else {
                throw .parameters("\(name) is needed once for each --against, or not at all")
            }
        }
        guard mode == .rules || (events == nil && againstEvents.isEmpty) else { throw .parameters("--events applies to rules alone") }
        guard against.isEmpty || (events == nil) == againstEvents.isEmpty else {
            throw .parameters("--events and --against-events belong together: all brokers get their events the same way")
        }
        let rounds = rounds ?? (against.isEmpty ? 1 : 3)
        guard (1...1_000).contains(rounds) else { throw .parameters("--rounds must be 1 to 1000") }
        var targets = [LoadTarget(address: broker, pid: pid, events: events)]
        for (index, address) in against.enumerated() {
            targets.append(
                LoadTarget(
                    address: address, pid: againstPid.isEmpty ? nil : againstPid[index],
                    events: againstEvents.isEmpty ? nil : againstEvents[index]))
        }
        return (rounds, targets)
    }
}
