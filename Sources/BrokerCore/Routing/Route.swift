import MQTTCodec
import NIOCore

/// Where messages on one topic go: made once per topic and change of subscriptions, then reused.
final class Route {
    struct Delivery {
        let session: Session
        var qos: QoS
    }

    /// The index's generation that this route was made from; another one makes it invalid.
    let generation: UInt64
    /// The topic in storage of its own.
    let topic: ByteBuffer
    /// Each session once, with the highest QoS of its matching subscriptions [MQTT-3.3.5-1].
    fileprivate(set) var deliveries: [Delivery] = []
    fileprivate(set) var shards = ShardSet()
    fileprivate(set) var hasRules = false
    /// Statistics of the topic; `nil` for `$` topics and beyond `topicsTrackedMax`.
    let record: TopicRecord?
    let isSystemTopic: Bool

    fileprivate init(generation: UInt64, topic: ByteBuffer, record: TopicRecord?) {
        self.generation = generation
        self.topic = topic
        self.record = record
        isSystemTopic = topic.readableBytesView.first == UInt8(ascii: "$")
    }
}

/// Makes routes and keeps the recent ones.
struct RouteTable {
    /// Routes kept; when full, all are forgotten and made anew as they are needed.
    static let routesKeptMax = 20_000

    private var routes: [ByteBuffer: Route] = [:]
    private var generation: UInt64 = 0
    private var mark: UInt64 = 0

    mutating func route(for topic: ByteBuffer, index: inout TopicIndex, topics: inout TopicLedger) -> Route {
        if generation != index.generation {
            routes.removeAll(keepingCapacity: routes.count < 1_000)
            generation = index.generation
        } else if let known = routes[topic] {
            return known
        }
        let own = ByteBuffer(bytes: topic.readableBytesView)
        let route = Route(generation: index.generation, topic: own, record: topics.record(for: own))
        mark += 1
        let mark = mark
        index.forEachMatch(own) { entry in  // [MQTT-3.3.2-3]
            route.shards.formUnion(entry.shards)
            if entry.hasRules { route.hasRules = true }
            for subscriber in entry.subscribers {
                let session = subscriber.session
                if session.routeMark == mark {
                    let known = route.deliveries[session.routePosition].qos
                    route.deliveries[session.routePosition].qos = max(known, subscriber.qos)
                } else {
                    session.routeMark = mark
                    session.routePosition = route.deliveries.count
                    route.deliveries.append(Route.Delivery(session: session, qos: subscriber.qos))  // [MQTT-4.5.0-1]
                }
            }
        }
        if routes.count >= Self.routesKeptMax { routes.removeAll(keepingCapacity: true) }
        routes[own] = route
        return route
    }
}
