import BrokerCore
import Documents
import EventBus
import Foundation
import Logging
import MQTTCodec
import NIOCore
import Testing

private let shopFolder = packageRoot.appendingPathComponent("Sources/crema/Shop").path

private func shopConfiguration() throws -> Configuration {
    try Configuration(file: "\(shopFolder)/crema.yaml", environment: [:], knownLimits: [])
}

/// An engine over the shop's own templates.
func shopEngine() throws -> (engine: EventEngine, documents: ResourceDocuments) {
    let documents = try ResourceDocuments(of: try shopConfiguration())
    let resources = try ResourceSet(templates: documents.templates)
    return (EventEngine(resources: resources, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }), documents)
}

/// The resources that `make demo` and `make serve` run.
@Suite struct ShopResourcesTests {
    private func put(_ engine: EventEngine, _ type: String, _ detail: String) throws -> [String] {
        let entry = PutEventsEntry(
            source: "awsserverlessda.serverlesspresso", detailType: type, detail: Array(detail.utf8), eventBusName: "Serverlesspresso")
        return try engine.putEvents([entry]).output.messages.map { Published($0).topic }
    }

    @Test func theConfigurationHasItsFourListenersOnLoopback() throws {
        let listeners = try shopConfiguration().listeners
        #expect(listeners.map(\.protocol) == [.mqtt, .mqtts, .http, .admin])
        #expect(listeners.map(\.address) == ["127.0.0.1:1883", "127.0.0.1:8883", "127.0.0.1:8080", "127.0.0.1:9090"])
        #expect(listeners.map(\.anonymous) == [true, false, true, true])
        let secure = listeners[1]
        #expect(secure.requireClientCertificate)
        let paths = [secure.certificate, secure.key, secure.clientCA].compactMap(\.self).map {
            URL(fileURLWithPath: $0).standardizedFileURL.path
        }
        #expect(paths == ["server.crt", "server.key", "ca.crt"].map { packageRoot.appendingPathComponent("certs/\($0)").path })
    }

    @Test func anOrderPostedOverHTTPBecomesAnEventOnTheBus() throws {
        let (engine, documents) = try shopEngine()
        let route = try #require(documents.apis.first?.routes.first)
        #expect((route.method, route.path) == ("POST", "/order"))
        #expect(route.requestParameters[.detail]?.parts == [.body([.member("detail")])])
        #expect(route.requestParameters[.detailType]?.parts == [.constant("OrderProcessor.OrderStarted")])
        #expect(route.requestParameters[.source]?.parts == [.constant("awsserverlessda.serverlesspresso")])
        #expect(route.requestParameters[.eventBusName]?.parts == [.constant("Serverlesspresso")])
        let topics = try put(engine, "OrderProcessor.OrderStarted", #"{"userId": "u", "eventId": "NYC", "orderId": "1"}"#)
        #expect(topics == ["serverlesspresso-user-u", "serverlesspresso-admin-NYC"])
    }

    @Test(arguments: [
        ("Validator.NewOrder", ["serverlesspresso-admin-NYC"]),
        ("OrderProcessor.WorkflowStarted", ["serverlesspresso-user-u", "serverlesspresso-admin-NYC"]),
        ("OrderManager.MakeOrder", ["serverlesspresso-user-u", "serverlesspresso-admin-NYC", "serverlesspresso-barista-NYC"]),
        ("OrderProcessor.OrderTimeOut", ["serverlesspresso-user-u", "serverlesspresso-admin-NYC", "serverlesspresso-barista-NYC"]),
        ("OrderRobot.FulfillOrder", []),
    ])
    func eachKindOfEventHasItsTopics(type: String, topics: [String]) throws {
        #expect(try put(try shopEngine().engine, type, #"{"userId": "u", "eventId": "NYC"}"#) == topics)
    }

    @Test func theSettingsAreRetainedOnTheirOwnTopic() throws {
        let engine = try shopEngine().engine
        let entry = PutEventsEntry(
            source: "awsserverlessda.serverlesspresso", detailType: "ConfigService.ConfigChanged",
            detail: Array(#"{"NewImage": {"PK": {"S": "config"}}}"#.utf8), eventBusName: "Serverlesspresso")
        #expect(
            try engine.putEvents([entry]).output.messages.map(Published.init) == [
                Published(
                    "serverlesspresso-config-config",
                    #"{"type":"ConfigService.ConfigChanged","detail":{"NewImage":{"PK":{"S":"config"}}}}"#, retain: true)
            ])
    }

    @Test(arguments: [("COMPLETED", "OrderManager.OrderCompleted"), ("CANCELLED", "OrderManager.OrderCancelled")])
    func aDevicesOrderBecomesAnEventThatReachesItsUser(state: String, type: String) throws {
        let engine = try shopEngine().engine
        #expect(Set(engine.topicFilters) == ["orders/+/+", "serverlesspresso-counter/+/+"])
        let payload = #"{"ORDERSTATE":"\#(state)","userId":"u","eventId":"NYC","orderId":"1"}"#
        let published = engine.evaluate(
            .init(topic: "orders/nyc/device-1", payload: payload.utf8, qos: .atLeastOnce),
            from: .init(clientID: "device-1", principal: nil),
            now: Instant(nanoseconds: 0)
        ).messages
        #expect(
            published.map { Published($0).topic } == [
                "serverlesspresso-user-u", "serverlesspresso-admin-NYC", "serverlesspresso-barista-NYC",
            ])
        let expected =
            #"{"type":"\#(type)","detail":{"ORDERSTATE":"\#(state)","userId":"u","eventId":"NYC","orderId":"1","#
            + #""shop":"nyc","device":"device-1"}}"#
        #expect(Set(published.map { Published($0).payload }) == [expected])
        #expect(engine.deadLetters(limit: 1) == [])
    }

    @Test func anOrdersLastStatusIsKeptForItsCustomerTheBaristaAndTheDisplayForAWhile() throws {
        let engine = try shopEngine().engine
        let detail = #"{"userId": "ana", "eventId": "NYC", "orderId": "K7Q2-1", "drink": "Latte"}"#
        let keptSeconds = { (type: String) throws -> [String: Int] in
            let entry = PutEventsEntry(
                source: "awsserverlessda.serverlesspresso", detailType: type, detail: Array(detail.utf8),
                eventBusName: "Serverlesspresso")
            let before = EventSource.eventLoopsNow().nanoseconds
            let kept = try engine.putEvents([entry]).output.messages.filter(\.retain)
            return try Dictionary(
                uniqueKeysWithValues: kept.map { message in
                    let expiry = try #require(message.properties?.expiresAt)
                    return (message.topicName, Int((expiry.nanoseconds - before) / 1_000_000_000))
                })
        }
        let topics = ["serverlesspresso-user-ana", "serverlesspresso-orders/NYC/K7Q2-1", "serverlesspresso-board/NYC/K7Q2-1"]
        #expect(try keptSeconds("OrderProcessor.OrderStarted") == Dictionary(uniqueKeysWithValues: zip(topics, [86_400, 7_200, 7_200])))
        #expect(try keptSeconds("OrderManager.OrderCompleted") == Dictionary(uniqueKeysWithValues: zip(topics, [86_400, 600, 600])))
        #expect(engine.deadLetters(limit: 1) == [])
    }

    @Test func theDisplayGetsNoCustomersName() throws {
        let engine = try shopEngine().engine
        let entry = PutEventsEntry(
            source: "awsserverlessda.serverlesspresso", detailType: "OrderManager.MakeOrder",
            detail: Array(#"{"userId": "zoe", "eventId": "NYC", "orderId": "1", "drink": "Latte", "milk": "Oat"}"#.utf8),
            eventBusName: "Serverlesspresso")
        let message = try #require(
            try engine.putEvents([entry]).output.messages.first { $0.topicName.hasPrefix("serverlesspresso-board/") })
        let payload = String(buffer: message.payload)
        #expect(payload.contains(#""detail":{"orderId":"1","drink":"Latte"}"#) && !payload.contains("zoe"))
    }

    @Test(arguments: [
        ("MAKING", "OrderManager.MakeOrder"), ("COMPLETED", "OrderManager.OrderCompleted"), ("CANCELLED", "OrderManager.OrderCancelled"),
    ])
    func whatABaristaSaysBecomesAnEventUnderTheBaristasName(state: String, type: String) throws {
        let engine = try shopEngine().engine
        let published = engine.evaluate(
            .init(
                topic: "serverlesspresso-counter/NYC/barista",
                payload: #"{"ORDERSTATE":"\#(state)","userId":"ana","orderId":"1","baristaUserId":"somebody else"}"#.utf8, qos: .atLeastOnce
            ),
            from: .init(clientID: "screen-barista", principal: "barista"), now: Instant(nanoseconds: 0)
        ).messages.map(Published.init)
        let status = try #require(published.first { $0.topic == "serverlesspresso-user-ana" })
        #expect(status.payload.contains(#""type":"\#(type)""#))
        #expect(status.payload.contains(#""baristaUserId":"barista""#) && status.payload.contains(#""eventId":"NYC""#))
    }

    @Test func everyResourceIsServed() throws {
        #expect(try shopEngine().documents.templates.flatMap(\.unknownResources) == [])
    }
}
