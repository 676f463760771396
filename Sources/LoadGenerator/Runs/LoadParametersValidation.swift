import MQTTCodec

extension LoadParameters {
    /// Refuses what cannot be run, by the option's name.
    package func validate() throws(LoadError) {
        try validateShape()
        try validateTransport()
        try require((1...Int(PublisherFlow.windowMax)).contains(inflight), "--inflight must be 1 to \(PublisherFlow.windowMax)")
        try require((1...1_024).contains(threads), "--threads must be 1 to 1024")
        try require((1...100_000).contains(concurrency), "--concurrency must be 1 to 100000")
        try require((0.1...86_400).contains(timeoutSeconds), "--timeout must be 0.1 to 86400 seconds")
        try require((0...3_600).contains(warmUpSeconds), "--warmup must be 0 to 3600 seconds")
        if let rate { try require((0.001...1e9).contains(rate), "--rate must be 0.001 to 1000000000 messages per second") }
        switch amount {
        case .messages(let count): try require((1...1_000_000_000_000).contains(count), "--messages must be 1 to 1000000000000")
        case .seconds(let seconds): try require((0.01...86_400).contains(seconds), "--seconds must be 0.01 to 86400")
        }
        try require(
            password == nil || username != nil || version == .v5, "--password needs --username: MQTT 3.1.1 allows no password alone")
        let longest = max(username?.utf8.count ?? 0, password?.utf8.count ?? 0)
        try require(longest <= 65_535, "--username and --password must be at most 65535 bytes")
    }

    /// Refuses a run for which this process may not open enough files.
    ///
    /// `limit` is what ``raiseOpenFileLimit()`` answers.
    package func validate(openFileLimit limit: Int) throws(LoadError) {
        try require(
            openFileCount <= limit,
            "this run needs \(openFileCount) open files and may have \(limit) (ulimit -n): raise the hard limit, or ask for fewer connections"
        )
    }

    private func validateShape() throws(LoadError) {
        let least = mode == .rules ? StatusText.payloadBytesMin : MessageStamp.byteCount
        try require(
            (least...Self.payloadBytesMax).contains(payloadBytes),
            "--size must be \(least) to \(Self.payloadBytesMax): each message carries its number and its time")
        try require(publishers >= 1 && subscribers >= 1, "--publishers and --subscribers must be at least 1")
        try require(connectionCount <= Self.connectionsMax, "a run has at most \(Self.connectionsMax) connections")
        switch mode {
        case .p2p, .durable:
            try require(publishers == subscribers, "\(mode.rawValue) has one subscriber per publisher: give --publishers alone")
        case .rules: try require(publishers == subscribers, "rules has one publisher and one subscriber for each user: give --users alone")
        case .fanin: try require(subscribers == 1, "fanin has one subscriber: --subscribers does not apply")
        case .fanout: try require(publishers == 1, "fanout has one publisher: --publishers does not apply")
        case .connect, .idle:
            try require(rate == nil, "\(mode.rawValue) has no --rate: it opens connections as fast as --concurrency allows")
        }
        try require(mode != .durable || qos > .atMostOnce, "durable is about acknowledgements: --qos must be 1 or 2")
        try require(!keepsSessions || (mode.sendsMessages && qos > .atMostOnce), "--persistent applies to messages at QoS 1 and 2")
        try require((0...1_000_000).contains(offlineMessages), "--offline must be 0 to 1000000 messages")
        try require(stalled == 0 || mode == .fanout, "--stalled applies to fanout alone")
        try require((0...30_000).contains(stalled), "--stalled must be 0 to 30000")
        try require(connections >= 1, "--connections must be at least 1")
        try require((0...10_000).contains(bystanders), "--bystanders must be 0 to 10000")
        if mode == .idle, case .messages = amount {
            throw .parameters("--messages does not apply to idle: --seconds says how long it holds")
        }
    }

    private func validateTransport() throws(LoadError) {
        if resumes {
            try require(tls != nil, "--resume is about TLS: give --ca, --insecure or another option of TLS")
            try require(mode == .connect || mode == .idle, "--resume applies to connect and idle: other modes open each connection once")
            try require(mode != .idle || drops, "--resume in idle needs --drop: before it no connection has a session to resume")
        }
        if let webSocketPath {
            let isPath = webSocketPath.hasPrefix("/") && webSocketPath.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            try require(isPath, "--path must begin with / and have no spaces")
        }
    }

    private func require(_ condition: Bool, _ message: String) throws(LoadError) {
        guard condition else { throw .parameters(message) }
    }
}
