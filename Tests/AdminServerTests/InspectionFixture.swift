import AdminServer
import BrokerCore
import Documents
import EventBus
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import NIOPosix
import Queues
import Synchronization

/// A listener for people over a real event engine and a broker that answers what a test tells it.
struct InspectionFixture {
    let broker: StagedBroker
    let delivery: RuleDelivery
    var engine: EventEngine { delivery.engine }
    let readiness = Readiness()
    let server: InspectionServer

    static let shop = """
        Resources:
          UserStatus:
            Type: AWS::Events::Rule
            Properties:
              EventPattern: { source: [shop.orders] }
              Targets:
                - Id: user
                  Arn: arn:aws:iot:us-east-1:000000000000:topic/users/<user>
                  InputTransformer:
                    InputPathsMap: { user: $.detail.user }
                    InputTemplate: '{"user": <user>}'
        """

    init(
        host: String = "127.0.0.1", anonymous: Bool = true, administrators: AdministratorCheck? = nil,
        broker: StagedBroker = StagedBroker(),
        limits: InspectionLimits = InspectionLimits(), requestCounts: [RequestCount] = [], store: StoreStatistics? = nil,
        site: SiteFigures = SiteFigures(), log: Logger? = nil,
        onListening: @escaping @Sendable (SocketAddress) async -> Void = { _ in }
    ) throws {
        self.broker = broker
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let template = try TemplateDocument(file: "shop.yaml", text: Self.shop, parameters: [:])
        delivery = RuleDelivery(
            engine: EventEngine(resources: try ResourceSet(templates: [template]), logger: quiet),
            queues: SharedQueues(makeID: EventSource.system.makeID))
        server = InspectionServer(
            configuration: .init(host: host, port: 0, anonymous: anonymous, administrators: administrators, limits: limits),
            version: "1.2.3", readiness: readiness,
            broker: broker, delivery: delivery, storeStatistics: { store }, requestCounts: { requestCounts }, site: site,
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            log: log ?? quiet, onListening: onListening)
    }

    func get(_ uri: String, method: HTTPRequest.Method = .get, headers: HTTPFields = [:]) async throws -> TestResponse {
        try await server.application.test(.router) { client in try await client.execute(uri: uri, method: method, headers: headers) }
    }

    /// Sends a request that changes something.
    func change(
        _ uri: String, _ body: String, method: HTTPRequest.Method = .post, headers: HTTPFields = [.contentType: "application/json"]
    ) async throws -> TestResponse {
        try await server.application.test(.router) { client in
            try await client.execute(uri: uri, method: method, headers: headers, body: ByteBuffer(string: body))
        }
    }

    /// Puts one event that its rule delivers, and one that it cannot deliver.
    func putEvents() throws {
        let details = [#"{"user":"u1"}"#, "{}"]
        _ = try engine.putEvents(details.map { .init(source: "shop.orders", detailType: "OrderStarted", detail: Array($0.utf8)) })
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }
}

/// A broker with prepared answers.
final class StagedBroker: BrokerAccess {
    private let staged = Mutex((statistics: BrokerStatistics(), clients: [ClientSummary](), topics: [TopicSummary]()))
    private let tails = Mutex<[String: AsyncStream<TailedMessage>.Continuation]>([:])
    private let opened = AsyncStream<String>.makeStream()
    private let closed = AsyncStream<String>.makeStream()

    init(statistics: BrokerStatistics = BrokerStatistics(), clients: [ClientSummary] = [], topics: [TopicSummary] = []) {
        staged.withLock { $0 = (statistics, clients, topics) }
    }

    func stage(_ statistics: BrokerStatistics) { staged.withLock { $0.statistics = statistics } }

    func admitsPublish() -> Bool { true }
    var now: Instant { Instant(nanoseconds: 0) }
    func problem(ofTopic topic: String) -> String? { nil }
    func retainedMessage(on topic: String) async -> RetainedSummary? { nil }
    func retainedMessages(from first: String, limit: Int) async -> [RetainedSummary] { [] }
    func publish(_ messages: [Message]) async {}
    func statistics() async -> BrokerStatistics { staged.withLock { $0.statistics } }
    func clients() async -> [ClientSummary] { staged.withLock { $0.clients } }

    func topics(matching filter: String, limit: Int) async -> [TopicSummary] {
        staged.withLock { Array($0.topics.filter { filter == "#" || $0.topic == filter }.prefix(limit)) }
    }

    func tail(_ filter: String) -> AsyncStream<TailedMessage> {
        let (stream, continuation) = AsyncStream<TailedMessage>.makeStream()
        continuation.onTermination = { [closed] _ in closed.continuation.yield(filter) }
        tails.withLock { $0[filter] = continuation }
        opened.continuation.yield(filter)
        return stream
    }

    /// Waits until a reader asks for a live copy; answers with its filter.
    func nextTailOpened() async -> String? {
        for await filter in opened.stream { return filter }
        return nil
    }

    /// Waits until a live copy's reader has gone; answers with its filter.
    func nextTailClosed() async -> String? {
        for await filter in closed.stream { return filter }
        return nil
    }

    func send(_ message: TailedMessage, to filter: String) {
        _ = tails.withLock { $0[filter]?.yield(message) }
    }

    func endTail(_ filter: String) {
        tails.withLock { $0[filter]?.finish() }
    }
}
