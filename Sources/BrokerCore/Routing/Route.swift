import MQTTCodec
import NIOCore

/// Where messages on one topic go: made once per topic and change of subscriptions, then reused.
final class Route {
    /// One session, however many of its subscriptions match.
    struct Recipient {
        let session: Session
        /// The highest of its matching subscriptions [MQTT-3.3.5-1] [MQTT5-3.3.4-2].
        var qos: QoS
        /// Whether any of them asked for RETAIN as published.
        var retainAsPublished: Bool
        var ownMessages: OwnMessages
        /// The identifiers of all of them that have one [MQTT5-3.3.4-3] [MQTT5-3.3.4-4].
        var identifiers: [UInt32]?

        /// Whether a session gets back what it publishes itself.
        enum OwnMessages {
            case all
            case none
            /// Some of its subscriptions say no local: each has to be asked.
            case some
        }

        fileprivate init(_ session: Session, _ options: SubscriptionOptions) {
            self.session = session
            qos = options.qos
            retainAsPublished = options.retainAsPublished
            ownMessages = options.noLocal ? .none : .all
            identifiers = options.identifier == 0 ? nil : [options.identifier]
        }

        fileprivate mutating func merge(_ options: SubscriptionOptions) {
            qos = max(qos, options.qos)
            retainAsPublished = retainAsPublished || options.retainAsPublished
            if (ownMessages == .none) != options.noLocal { ownMessages = .some }
            if options.identifier != 0 { identifiers = (identifiers ?? []) + [options.identifier] }
        }
    }

    /// The index's generation that this route was made from; another one makes it invalid.
    ///
    /// None at all once it is forgotten, for those who still hold it.
    fileprivate(set) var generation: UInt64
    /// The topic in storage of its own.
    let topic: ByteBuffer
    fileprivate(set) var recipients: [Recipient] = []
    /// Shared subscriptions that match, with members here or elsewhere.
    fileprivate(set) var groups: [SharedGroup] = []
    fileprivate(set) var shards = ShardSet()
    fileprivate(set) var hasRules = false
    /// Whether any recipient does not want what it published itself.
    fileprivate(set) var hasNoLocal = false
    /// Who sees its messages pass.
    var taps = RouteTaps()
    /// Statistics of the topic; `nil` for `$` topics and beyond `topicsTrackedMax`.
    let record: TopicRecord?
    let isSystemTopic: Bool
    /// Whether messages go to the rule that the topic names, and to nobody else.
    let isBasicIngest: Bool

    /// The topic as text, for those who are asked about it.
    private(set) lazy var topicName = String(buffer: topic)
    /// Whether messages that are alike may go together: nobody but subscribers looks at them, and to each of these they go alike.
    var takesRuns: Bool { !hasRules && groups.isEmpty && !hasNoLocal && !isSystemTopic }

    /// Whether a message on the topic would reach nobody.
    var isEmpty: Bool { recipients.isEmpty && groups.isEmpty && shards.isEmpty && !hasRules }

    /// What it counts in ``RouteTable/weight``.
    fileprivate var weight: Int { recipients.count + 1 + topic.readableBytes / 256 }

    fileprivate init(generation: UInt64, topic: ByteBuffer, record: TopicRecord?) {
        self.generation = generation
        self.topic = topic
        self.record = record
        isSystemTopic = topic.readableBytesView.first == UInt8(ascii: "$")
        isBasicIngest = isSystemTopic && BasicIngest.includes(topic)
        hasRules = isBasicIngest
    }
}

/// Makes routes and keeps the recent ones.
struct RouteTable {
    /// Routes kept; when full, all are forgotten and made anew as they are needed.
    static let routesKeptMax = 20_000

    private var routes: [ByteBuffer: Route] = [:]
    /// Recipients of all of them, and one for each, with one more for each 256 bytes of its topic.
    private(set) var weight = 0
    /// At the most, but for a single route that has more.
    var weightMax: Int
    private var generation: UInt64 = 0
    private var mark: UInt64 = 0

    init(weightMax: Int) { self.weightMax = weightMax }

    mutating func route(for topic: ByteBuffer, index: inout TopicIndex, topics: inout TopicLedger) -> Route {
        if generation != index.generation {
            forgetAll(keepingCapacity: routes.count < 1_000)
            generation = index.generation
        } else if let known = routes[topic] {
            return known
        }
        let own = ByteBuffer(bytes: topic.readableBytesView)
        let route = Route(generation: index.generation, topic: own, record: topics.record(for: own))
        mark += 1
        index.forEachMatch(own) { entry in route.add(entry, mark: mark) }  // [MQTT-3.3.2-3]
        if routes.count >= Self.routesKeptMax || weight > weightMax - route.weight { forgetAll(keepingCapacity: true) }
        routes[own] = route
        weight += route.weight
        return route
    }

    /// Publishers that hold one of them as their last must not keep its recipients.
    private mutating func forgetAll(keepingCapacity: Bool) {
        for route in routes.values { route.forget() }
        routes.removeAll(keepingCapacity: keepingCapacity)
        weight = 0
    }
}

extension Route {
    /// Where else it led stays, for a message that is on its way along it.
    fileprivate func forget() {
        generation = 0  // the index begins with 1
        recipients = []
    }

    fileprivate func add(_ entry: borrowing TopicIndex.Entry, mark: UInt64) {
        shards.formUnion(entry.shards)
        if entry.hasRules { hasRules = true }
        groups.append(contentsOf: entry.groups)
        for subscriber in entry.subscribers {
            let session = subscriber.session
            if session.isAbandoned { continue }
            if subscriber.options.noLocal { hasNoLocal = true }
            if session.routeMark == mark {
                recipients[session.routePosition].merge(subscriber.options)
            } else {
                session.routeMark = mark
                session.routePosition = recipients.count
                recipients.append(Recipient(session, subscriber.options))  // [MQTT-4.5.0-1]
            }
        }
    }
}

extension TopicIndex {
    /// What a session wants of a topic by those of its subscriptions that do not say no local.
    mutating func recipient(_ session: Session, of topic: ByteBuffer) -> Route.Recipient? {
        var result: Route.Recipient?
        forEachMatch(topic) { entry in
            for subscriber in entry.subscribers where subscriber.session === session && !subscriber.options.noLocal {
                if result?.merge(subscriber.options) == nil { result = Route.Recipient(session, subscriber.options) }
            }
        }
        return result
    }
}
