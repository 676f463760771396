import ArgumentParser
import LoadGenerator
import MQTTCodec

/// The options that shape the load.
struct LoadOptions: ParsableArguments {
    @Option(help: "Quality of service, 0, 1 or 2, of publishing and subscribing (default: 0).")
    var qos: UInt8?

    @Option(help: ArgumentHelp("Payload, at least 24 (default: 64).", valueName: "bytes"))
    var size: Int?

    @Option(help: "Publishers, of p2p and fanin (default: 10, or 200 with --inflight 1).")
    var publishers: Int?

    @Option(help: "Subscribers, of fanout (default: 500).")
    var subscribers: Int?

    @Option(help: "Further subscribers, of fanout, that read nothing: what they do to the others (default: 0).")
    var stalled: Int?

    @Flag(help: "Subscribers have sessions that outlive their connections: what a broker acknowledges for them it must not lose.")
    var persistent = false

    @Option(help: "Length of the measured part: PUBLISHes over all publishers, or connections.")
    var messages: Int?

    @Option(help: "Length of the measured part in seconds (default: 5).")
    var seconds: Double?

    @Option(help: "Messages outstanding per publisher (default: 200). mosquitto takes 20 at QoS 2 unless it is configured otherwise.")
    var inflight: Int?

    @Option(help: ArgumentHelp("Open loop: messages per second over all publishers.", valueName: "messages-per-second"))
    var rate: Double?

    @Option(help: "Connections under way at once, of connect (default: 64).")
    var concurrency: Int?

    @Option(help: "Seconds of load before the measured part.")
    var warmup = 0.5

    @Option(help: "Seconds without progress after which the run ends.")
    var timeout = 10.0

    @Option(help: "Threads of the generator.")
    var threads = 1

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

    @Option(help: "TLS: the one version to speak, 1.2 or 1.3. Any TLS option turns TLS on.")
    var tlsVersion: TLSParameters.Version?

    /// What the options mean together; refuses by name what does not apply to the mode.
    func parameters(mode: LoadMode) throws(LoadError) -> LoadParameters {
        var parameters = LoadParameters(mode: mode)
        try refuseForeignOptions(mode: mode)
        guard let qos = QoS(rawValue: qos ?? 0) else { throw .parameters("--qos must be 0, 1 or 2") }
        parameters.qos = qos
        parameters.payloadBytes = size ?? parameters.payloadBytes
        parameters.inflight = inflight ?? parameters.inflight
        parameters.stalled = stalled ?? 0
        parameters.keepsSessions = persistent
        parameters.rate = rate
        switch mode {
        case .p2p:
            parameters.publishers = publishers ?? subscribers ?? (inflight == 1 ? 200 : 10)
            parameters.subscribers = subscribers ?? parameters.publishers
        case .fanin:
            parameters.publishers = publishers ?? (inflight == 1 ? 200 : 10)
            parameters.subscribers = subscribers ?? 1
        case .fanout:
            parameters.publishers = publishers ?? 1
            parameters.subscribers = subscribers ?? 500
        case .connect: break
        }
        guard messages == nil || seconds == nil else { throw .parameters("--messages and --seconds exclude each other") }
        parameters.amount = messages.map { .messages($0) } ?? .seconds(seconds ?? 5)
        parameters.concurrency = concurrency ?? parameters.concurrency
        parameters.warmUpSeconds = warmup
        parameters.timeoutSeconds = timeout
        parameters.threads = threads
        parameters.username = username
        parameters.password = password
        parameters.tls = tls
        try parameters.validate()
        return parameters
    }

    private var tls: TLSParameters? {
        guard ca != nil || cert != nil || key != nil || insecure || tlsVersion != nil else { return nil }
        var tls = TLSParameters()
        tls.authorityFile = ca
        tls.certificateFile = cert
        tls.keyFile = key
        tls.isInsecure = insecure
        tls.version = tlsVersion
        return tls
    }

    private func refuseForeignOptions(mode: LoadMode) throws(LoadError) {
        if mode == .connect {
            let given = [
                ("--qos", qos != nil), ("--size", size != nil), ("--publishers", publishers != nil),
                ("--subscribers", subscribers != nil), ("--inflight", inflight != nil), ("--rate", rate != nil),
                ("--stalled", stalled != nil), ("--persistent", persistent),
            ]
            if let (name, _) = given.first(where: \.1) { throw .parameters("\(name) does not apply to connect") }
        } else if concurrency != nil {
            throw .parameters("--concurrency applies to connect alone")
        }
        if rate != nil, inflight != nil { throw .parameters("--rate and --inflight exclude each other: an open loop does not wait") }
    }
}

/// The options that name the brokers.
struct BrokerOptions: ParsableArguments {
    struct Target {
        var address: BrokerAddress
        var pid: Int32?
    }

    @Option(help: ArgumentHelp("The broker.", valueName: "host:port"))
    var broker: BrokerAddress

    @Option(help: "The broker's process on this machine, to read its CPU time and memory.")
    var pid: Int32?

    @Option(help: ArgumentHelp("A second broker, which is measured in turns with the first.", valueName: "host:port"))
    var against: BrokerAddress?

    @Option(help: "The second broker's process.")
    var againstPid: Int32?

    @Option(help: "How often each broker is measured (default: 1, with --against 3).")
    var rounds: Int?

    /// How many rounds, over which brokers.
    func plan() throws(LoadError) -> (rounds: Int, targets: [Target]) {
        guard against != nil || againstPid == nil else { throw .parameters("--against-pid needs --against") }
        let rounds = rounds ?? (against == nil ? 1 : 3)
        guard (1...1_000).contains(rounds) else { throw .parameters("--rounds must be 1 to 1000") }
        var targets = [Target(address: broker, pid: pid)]
        if let against { targets.append(Target(address: against, pid: againstPid)) }
        return (rounds, targets)
    }
}
