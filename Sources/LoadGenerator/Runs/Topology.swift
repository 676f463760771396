/// Who publishes to whom, and on which event loop each of them lives.
package struct Topology: Equatable, Sendable {
    package let mode: LoadMode
    package let publishers: Int
    package let subscribers: Int
    package let threads: Int
    /// Six hexadecimal digits that keep this run's topics and client identifiers apart from every other run's.
    private let runName: String

    package init(_ parameters: LoadParameters, run: UInt32) {
        mode = parameters.mode
        publishers = parameters.publishers
        subscribers = parameters.subscribers
        threads = parameters.threads
        let digits = String(run & 0xFF_FFFF, radix: 16)
        runName = String(repeating: "0", count: 6 - digits.count) + digits
    }

    /// Whether each publisher has a topic of its own.
    package var isPaired: Bool { mode.isPaired }

    /// In mode `rules` the topics are those of ``RulesTemplate``, which know no run.
    package func topic(ofPublisher publisher: Int) -> String {
        switch mode {
        case .rules: RulesTemplate.orderTopic(ofUser: publisher)
        case .p2p, .durable, .idle: "bench/\(runName)/\(publisher)"
        case .fanin, .fanout, .connect: "bench/\(runName)"
        }
    }

    package func filter(ofSubscriber subscriber: Int) -> String {
        mode == .rules ? RulesTemplate.statusTopic(ofUser: subscriber) : topic(ofPublisher: subscriber)
    }
    /// At most 23 bytes of digits and letters, which every server must allow [MQTT-3.1.3-5].
    package func clientID(_ role: Character, _ number: Int) -> String { "bench\(runName)\(role)\(number)" }

    /// The publishers whose messages a subscriber gets.
    package func publishers(ofSubscriber subscriber: Int) -> Range<Int> {
        isPaired ? subscriber..<(subscriber + 1) : 0..<publishers
    }

    package func deliveries(ofMessages count: UInt64) -> UInt64 { isPaired ? count : count * UInt64(subscribers) }

    package func loop(of number: Int) -> Int { number % threads }
    /// The numbers (of publishers or of subscribers) that live on an event loop.
    package func numbers(onLoop loop: Int, of total: Int) -> [Int] { Array(stride(from: loop, to: total, by: threads)) }
    /// How many event loops hold subscribers of one publisher.
    ///
    /// A pair shares its loop; otherwise they are the first so many loops.
    package var audiences: Int { isPaired ? 1 : min(threads, subscribers) }
    /// Which of the audiences an event loop is.
    package func audience(ofLoop loop: Int) -> Int { isPaired ? 0 : loop }
}
