import Testing

@testable import LoadGenerator

/// Changes that make the parameters of p2p invalid, and the option that each is about.
private let refusedChanges: [(option: String, change: @Sendable (inout LoadParameters) -> Void)] = [
    ("--size", { $0.payloadBytes = 23 }), ("--inflight", { $0.inflight = 0 }), ("--inflight", { $0.inflight = 32_769 }),
    ("--publishers", { $0.publishers = 0 }), ("--threads", { $0.threads = 0 }), ("--timeout", { $0.timeoutSeconds = 0 }),
    ("--warmup", { $0.warmUpSeconds = -1 }), ("--rate", { $0.rate = 0 }), ("--messages", { $0.amount = .messages(0) }),
    ("--seconds", { $0.amount = .seconds(.infinity) }), ("--password", { $0.password = "p" }),
    ("connections", { ($0.publishers, $0.subscribers) = (1_500_000, 1_500_000) }), ("--publishers", { $0.subscribers = 3 }),
    ("--resume", { $0.resumes = true }), ("--path", { $0.webSocketPath = "mqtt" }), ("--path", { $0.webSocketPath = "/a b" }),
    ("--persistent", { $0.keepsSessions = true }), ("--offline", { $0.offlineMessages = -1 }), ("--bystanders", { $0.bystanders = -1 }),
]

@Suite struct LoadParametersTests {
    private func refusal(mode: LoadMode = .p2p, _ change: (inout LoadParameters) -> Void) -> String? {
        var parameters = LoadParameters(mode: mode)
        change(&parameters)
        do throws(LoadError) {
            try parameters.validate()
            return nil
        } catch {
            #expect(error.exitCode == 2)
            return error.description
        }
    }

    @Test("Stalled subscribers are for fanout, and bounded")
    func stalled() throws {
        var parameters = LoadParameters(mode: .fanout)
        parameters.publishers = 1
        parameters.stalled = 30_000
        try parameters.validate()
        parameters.stalled = 30_001
        #expect(throws: LoadError.self) { try parameters.validate() }
        parameters = LoadParameters(mode: .p2p)
        parameters.stalled = 1
        #expect(throws: LoadError.self) { try parameters.validate() }
    }

    @Test func defaultsAreValid() {
        #expect(refusal { _ in } == nil)
    }

    @Test("A value out of range is refused by its option's name", arguments: refusedChanges.indices)
    func outOfRange(index: Int) {
        let (option, change) = refusedChanges[index]
        #expect(refusal(change)?.contains(option) == true)
    }

    @Test func shapesOfTheOtherModesAreRefused() {
        #expect(refusal(mode: .fanin) { $0.subscribers = 2 }?.contains("--subscribers") == true)
        #expect(refusal(mode: .fanout) { $0.publishers = 2 }?.contains("--publishers") == true)
        #expect(refusal(mode: .connect) { $0.rate = 1 }?.contains("--rate") == true)
    }

    @Test func certificateWithoutItsKeyIsRefused() {
        var tls = TLSParameters()
        tls.certificateFile = "client.pem"
        #expect(throws: LoadError.parameters("--cert and --key belong together")) { try tls.makeContext() }
    }

    @Test(
        "Addresses",
        arguments: [
            ("127.0.0.1:1883", BrokerAddress(host: "127.0.0.1", port: 1883)), ("[::1]:8883", BrokerAddress(host: "::1", port: 8883)),
            ("broker.example:1", BrokerAddress(host: "broker.example", port: 1)), ("::1:1883", nil), ("host", nil), ("host:0", nil),
            ("host:65536", nil), (":1883", nil), ("host:x", nil),
        ] as [(String, BrokerAddress?)])
    func addresses(text: String, address: BrokerAddress?) {
        #expect(BrokerAddress(parsing: text) == address)
        if let address { #expect(address.description == text) }
    }
}

@Suite struct TopologyTests {
    private func topology(_ mode: LoadMode, publishers: Int, subscribers: Int, threads: Int) -> Topology {
        var parameters = LoadParameters(mode: mode)
        (parameters.publishers, parameters.subscribers, parameters.threads) = (publishers, subscribers, threads)
        return Topology(parameters, run: 0xAB)
    }

    @Test func pairHasItsOwnTopicAndOneLoop() {
        let topology = topology(.p2p, publishers: 5, subscribers: 5, threads: 2)
        #expect(topology.topic(ofPublisher: 3) == topology.filter(ofSubscriber: 3))
        #expect(topology.topic(ofPublisher: 3) != topology.topic(ofPublisher: 2))
        #expect(topology.publishers(ofSubscriber: 3) == 3..<4)
        #expect(topology.audiences == 1)
        #expect(topology.deliveries(ofMessages: 7) == 7)
    }

    @Test func fanOutDeliversToEverySubscriberOnEveryLoop() {
        let topology = topology(.fanout, publishers: 1, subscribers: 9, threads: 4)
        #expect(topology.publishers(ofSubscriber: 8) == 0..<1)
        #expect(topology.audiences == 4)
        #expect(topology.deliveries(ofMessages: 7) == 63)
        #expect(topology.numbers(onLoop: 1, of: 9) == [1, 5])
    }

    @Test func clientIdentifiersFitIntoWhatEveryServerAllows() {
        let longest = topology(.p2p, publishers: 1, subscribers: 1, threads: 1).clientID("s", 10_000_000_000)
        #expect(longest.utf8.count <= 23)
    }
}
