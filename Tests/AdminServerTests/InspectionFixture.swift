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
        host: String = "127.0.0.1", hosts: [String] = [], anonymous: Bool = true, administrators: AdministratorCheck? = nil,
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
            configuration: .init(host: host, port: 0, anonymous: anonymous, hosts: hosts, administrators: administrators, limits: limits),
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
        _ uri: String, _ body: String = "", method: HTTPRequest.Method = .post, headers: HTTPFields = [.contentType: "application/json"]
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
