import BrokerCore
import Documents
import EventBus
import Gateway
import HTTPListening
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import NIOPosix
import Queues
import Synchronization
import Things
import Trust

/// A gateway over the real event engine and a broker that writes down what is published.
struct GatewayFixture {
    let broker = RecordingBroker()
    let engine: EventEngine
    let queues = SharedQueues(makeID: EventSource.system.makeID)
    let counters: GatewayCounters
    let control: ControlPlane
    let server: GatewayServer

    static let shop = """
        Resources:
          ShopBus: { Type: AWS::Events::EventBus, Properties: { Name: shop } }
          ShopOrders: { Type: AWS::SQS::Queue, Properties: { QueueName: shop-orders } }
          IntoQueue:
            Type: AWS::Events::Rule
            Properties:
              EventBusName: !Ref ShopBus
              EventPattern: { source: [shop.queue] }
              Targets: [{ Id: queue, Arn: !GetAtt ShopOrders.Arn, InputPath: $.detail }]
          UserStatus:
            Type: AWS::Events::Rule
            Properties:
              EventBusName: !Ref ShopBus
              EventPattern: { source: [shop.orders] }
              Targets:
                - Id: user
                  Arn: arn:aws:iot:us-east-1:000000000000:topic/users/<user>
                  MqttParameters: { Qos: 1 }
                  InputTransformer:
                    InputPathsMap: { user: $.detail.user, detail: $.detail, type: $.detail-type }
                    InputTemplate: '{"type": <type>, "detail": <detail>}'
        """

    static let api = """
        openapi: "3.0.1"
        info: { title: shop, version: "1" }
        paths:
          /order:
            post:
              responses: { default: { description: answer } }
              x-amazon-apigateway-integration:
                integrationSubtype: EventBridge-PutEvents
                type: aws_proxy
                payloadFormatVersion: "1.0"
                requestParameters:
                  Detail: $request.body.detail
                  DetailType: OrderStarted
                  Source: shop.orders
                  EventBusName: shop
          /users/{user}/orders:
            post:
              responses: { default: { description: answer } }
              x-amazon-apigateway-integration:
                integrationSubtype: EventBridge-PutEvents
                type: aws_proxy
                payloadFormatVersion: "1.0"
                requestParameters:
                  Detail: '{"user":"${request.path.user}","drink":"${request.querystring.drink}","shop":"${request.header.X-Shop}"}'
                  DetailType: Order${request.querystring.kind}
                  Source: shop.orders
                  EventBusName: shop
          /raw:
            post:
              responses: { default: { description: answer } }
              x-amazon-apigateway-integration:
                integrationSubtype: EventBridge-PutEvents
                type: aws_proxy
                payloadFormatVersion: "1.0"
                requestParameters:
                  Detail: $request.body
                  DetailType: $request.header.X-Type
                  Source: shop.orders
                  EventBusName: shop
                  Time: $request.header.X-Time
                  Resources: '["arn:one"]'
        """

    init(
        host: String = "127.0.0.1", hosts: [String] = [], anonymous: Bool = true, signatures: SignatureVerifier? = nil,
        tokens: GatewayTokens = GatewayTokens(),
        pages: PageTable = PageTable(), authorizer: any Authorizer = ListenerAuthorizer(), api: String = GatewayFixture.api,
        parameters: [String: String] = [:],
        limits: GatewayLimits = GatewayLimits(), log: Logger? = nil,
        things: ThingRegistry = ThingRegistry(), rightsChanged: @escaping @Sendable () async -> Void = {},
        webSocket: WebSocketPort? = nil, eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        counters: GatewayCounters = GatewayCounters(),
        onListening: @escaping @Sendable (SocketAddress) async -> Void = { _ in }
    ) throws {
        self.counters = counters
        let template = try TemplateDocument(file: "shop.yaml", text: Self.shop, parameters: [:])
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let resources = try ResourceSet(templates: [template])
        engine = EventEngine(resources: resources, logger: quiet)
        let delivery = RuleDelivery(engine: engine, queues: queues)
        try delivery.declare(resources)
        control = ControlPlane(delivery: delivery, templates: resources)
        QueueAlarm.set(for: queues, on: eventLoopGroup.next())
        let routes = try OpenAPIDocument(file: "api.yaml", text: api, parameters: parameters).routes
        server = GatewayServer(
            configuration: .init(
                host: host, port: 0, anonymous: anonymous, hosts: hosts, signatures: signatures, tokens: tokens, pages: pages,
                limits: limits),
            authorizer: authorizer, routes: try RouteTable(routes),
            broker: broker, control: control, topicFiltersChanged: {}, things: things, rightsChanged: rightsChanged, counters: counters,
            webSocket: webSocket,
            eventLoopGroup: eventLoopGroup, log: log ?? quiet,
            onListening: onListening)
    }

    /// Sends one request to the responder, without a socket.
    func send(
        _ method: HTTPRequest.Method, _ uri: String, headers: HTTPFields = [:], body: String? = nil
    ) async throws -> TestResponse {
        try await server.application.test(.router) { client in
            try await client.execute(uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
        }
    }

    func post(_ uri: String, headers: HTTPFields = [:], body: String? = nil) async throws -> TestResponse {
        try await send(.post, uri, headers: headers, body: body)
    }

    /// Calls an operation as an AWS SDK does.
    func call(_ operation: String = "PutEvents", body: String, contentType: String = "application/x-amz-json-1.1") async throws
        -> TestResponse
    {
        try await post("/", headers: Self.headers(operation, contentType: contentType), body: body)
    }

    static func headers(_ operation: String = "PutEvents", contentType: String = "application/x-amz-json-1.1") -> HTTPFields {
        var headers = HTTPFields()
        headers[.contentType] = contentType
        headers[.init("X-Amz-Target")!] = "AWSEvents.\(operation)"
        return headers
    }

    static func entry(detail: String = #"{\"user\":\"u1\"}"#, source: String = "shop.orders") -> String {
        #"{"Source":"\#(source)","DetailType":"OrderStarted","Detail":"\#(detail)","EventBusName":"shop"}"#
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }
}

/// A broker that keeps what it is asked to publish.
final class RecordingBroker: BrokerAccess {
    struct Published: Equatable {
        let topic: String
        let payload: String
    }

    private let log = Mutex<[Published]>([])
    private let wholeLog = Mutex<[Message]>([])

    /// What was published, with all that it had.
    var messages: [Message] { wholeLog.withLock { $0 } }

    private let gate = Mutex<AsyncStream<Void>?>(nil)
    private let full = Mutex(false)
    private let nextOutcome = Mutex(PublishOutcome.kept)

    var published: [Published] { log.withLock { $0 } }

    /// Makes the next publish wait until the stream that this continuation belongs to has an element.
    func holdNextPublish() -> AsyncStream<Void>.Continuation {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        gate.withLock { $0 = stream }
        return continuation
    }

    /// Makes the broker have no room for what calls publish.
    func setFull(_ isFull: Bool) { full.withLock { $0 = isFull } }

    func admitsPublish() -> Bool { !full.withLock { $0 } }

    /// Says what comes of the next calls.
    func setOutcome(_ outcome: PublishOutcome) { nextOutcome.withLock { $0 = outcome } }

    func publish(_ messages: [Message]) async -> PublishOutcome {
        if let held = gate.withLock({ exchange(&$0, with: nil) }) {
            for await _ in held { break }
        }
        wholeLog.withLock { $0 += messages }
        log.withLock { log in
            log += messages.map { Published(topic: $0.topicName, payload: String(buffer: $0.payload)) }
        }
        return nextOutcome.withLock { $0 }
    }

    var now: Instant { Instant(nanoseconds: 0) }
    func problem(ofTopic topic: String) -> String? { topic.utf8.count > 1_024 ? "a topic longer than 1024 bytes (topicBytesMax)" : nil }
    func retainedMessage(on topic: String) async -> RetainedSummary? { retained.withLock { $0[topic] } }
    func retainedMessages(
        from first: String, limit: Int, where isWanted: @Sendable (String) -> Bool
    ) async -> (rows: [RetainedSummary], next: String?) {
        let found = retained.withLock { $0 }.filter { $0.key >= first && isWanted($0.key) }.sorted { $0.key < $1.key }
        return (found.prefix(limit).map(\.value), found.dropFirst(limit).first?.key)
    }

    /// What is retained, by its topic.
    let retained = Mutex<[String: RetainedSummary]>([:])

    func statistics() async -> BrokerStatistics { BrokerStatistics() }
    func clients() async -> [ClientSummary] { [] }
    func topics(matching filter: String, limit: Int) async -> [TopicSummary] { [] }
    func tail(_ filter: String) -> AsyncStream<TailedMessage> { AsyncStream { $0.finish() } }
}
