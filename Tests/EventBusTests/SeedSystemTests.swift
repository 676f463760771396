import Documents
import EventBus
import Foundation
import Testing

private let seedFolder = packageRoot.appendingPathComponent("../shared/data/serverlesspresso").standardizedFileURL
private let hasSeedSystem = FileManager.default.fileExists(atPath: seedFolder.path)

/// The events of the system that Crema grew from, through its own rules.
///
/// They lie beside the repository and are not part of it.
@Suite(.enabled(if: hasSeedSystem, "the seed system's events are not here"))
struct SeedSystemTests {
    struct Event {
        var type: String
        var detail: [String: Any]
        var entry: PutEventsEntry

        init(_ object: [String: Any]) throws {
            type = try #require(object["detail-type"] as? String)
            detail = try #require(object["detail"] as? [String: Any])
            entry = PutEventsEntry(
                source: try #require(object["source"] as? String), detailType: type,
                detail: Array(try JSONSerialization.data(withJSONObject: detail)), eventBusName: "Serverlesspresso",
                resources: object["resources"] as? [String] ?? [])
        }

        /// What the seed system's publisher functions send.
        var payload: String {
            get throws {
                let data = try JSONSerialization.data(withJSONObject: ["type": type, "detail": detail])
                return try canonicalJSON(String(decoding: data, as: UTF8.self))
            }
        }

        func isOf(_ families: String...) -> Bool { families.contains { type.hasPrefix("\($0).") } }
    }

    /// The three publisher rules.
    ///
    /// The workshop has one topic for all shops, the main system one for each event.
    private func template(admin: String, config: String) -> String {
        func rule(_ name: String, _ prefixes: [String], _ topic: String) -> String {
            """
              \(name):
                Type: AWS::Events::Rule
                Properties:
                  EventBusName: !Ref Bus
                  EventPattern:
                    source: [awsserverlessda.serverlesspresso]
                    detail-type: [\(prefixes.map { "{prefix: \($0).}" }.joined(separator: ", "))]
                  Targets:
                    - Id: topic
                      Arn: !Sub arn:aws:iot:${AWS::Region}:${AWS::AccountId}:topic/\(topic)
                      InputTransformer:
                        InputPathsMap: {type: $.detail-type, detail: $.detail, userId: $.detail.userId, eventId: $.detail.eventId}
                        InputTemplate: '{"type": <type>, "detail": <detail>}'

            """
        }
        return "Resources:\n  Bus: {Type: 'AWS::Events::EventBus', Properties: {Name: Serverlesspresso}}\n"
            + rule("Admin", ["OrderManager", "OrderProcessor", "Validator", "ConfigService"], admin)
            + rule("User", ["OrderManager", "OrderProcessor"], "serverlesspresso-user-<userId>")
            + rule("Config", ["ConfigService"], config)
    }

    private func recordedEvents() throws -> [Event] {
        let data = try Data(contentsOf: seedFolder.appendingPathComponent("EventPlayer/events.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]]).map(Event.init)
    }

    private func sampleEvents() throws -> [Event] {
        let files = [
            "4-order-processing/events/OrderProcessor.WaitingCompletion.json",
            "4-order-processing/events/OrderProcessor.WorkflowStarted.json",
            "6-publisher-service/code/test/testEvent.json", "6-publisher-service/code/test/orderProcessor.orderStarted.json",
            "7-metrics-service/code/test/OrderManager.OrderCancelled.json",
            "7-metrics-service/code/test/OrderManager.WaitingCompletion.json",
            "7-metrics-service/code/test/OrderProcessor.OrderTimeOut.json", "7-metrics-service/code/test/Validator.NewOrder.json",
        ]
        return try files.map { file in
            let data = try Data(contentsOf: seedFolder.appendingPathComponent(file))
            return try Event(try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any]))
        }
    }

    /// Puts the events ten at a time and answers with the payloads on each topic, in order.
    private func play(_ events: [Event], on engine: EventEngine, keepsStatus: Bool = false) throws -> [String: [String]] {
        var topics: [String: [String]] = [:]
        for start in stride(from: 0, to: events.count, by: 10) {
            let outcome = try engine.putEvents(events[start..<min(start + 10, events.count)].map(\.entry))
            #expect(outcome.failedEntryCount == 0)
            for message in outcome.output.messages.map(Published.init) {
                #expect(message.qos == 1)
                // The shop of this project keeps a customer's last status; the seed system keeps nothing.
                #expect(message.retain == (keepsStatus && message.topic.hasPrefix("serverlesspresso-user-")))
                topics[message.topic, default: []].append(try canonicalJSON(message.payload))
            }
        }
        return topics
    }

    /// What must be on each topic, computed from the table in the seed system's description and not from any rule.
    private func expected(_ events: [Event], isMain: Bool) throws -> (topics: [String: [String]], failures: Int) {
        var topics: [String: [String]] = [:]
        var failures = 0
        func expect(_ event: Event, on family: String, id: String?, named: Bool) throws {
            guard let topic = named ? id.map({ "\(family)-\($0)" }) : family else {
                failures += 1
                return
            }
            topics[topic, default: []].append(try event.payload)
        }
        for event in events {
            let eventID = event.detail["eventId"] as? String
            if event.isOf("OrderManager", "OrderProcessor", "Validator", "ConfigService") {
                try expect(event, on: "serverlesspresso-admin", id: eventID, named: isMain)
            }
            if event.isOf("OrderManager", "OrderProcessor") {
                try expect(event, on: "serverlesspresso-user", id: event.detail["userId"] as? String, named: true)
            }
            if event.isOf("ConfigService") { try expect(event, on: "serverlesspresso-config", id: eventID, named: isMain) }
        }
        return (topics, failures)
    }

    @Test(arguments: [false, true])
    func everyRecordedEventReachesItsTopicsInOrder(isMain: Bool) throws {
        let suffix = isMain ? "-<eventId>" : ""
        let fixture = try EngineFixture(template(admin: "serverlesspresso-admin\(suffix)", config: "serverlesspresso-config\(suffix)"))
        let events = try recordedEvents()
        #expect(events.count == 183)
        let (topics, failures) = try expected(events, isMain: isMain)
        #expect(try play(events, on: fixture.engine) == topics)
        // In the main system's rules the validator's events name no event: that system publishes them to a topic that ends in
        // `undefined`, Crema keeps them as dead letters.
        #expect(failures == (isMain ? 20 : 0))
        #expect(fixture.engine.counters.deliveriesFailed == UInt64(failures))
        #expect(fixture.engine.deadLetters(limit: 1_000).count == failures)
        #expect(fixture.engine.counters.eventsAccepted == 183)
        #expect(fixture.engine.counters.eventsUnmatched == 40)
    }

    @Test(arguments: [false, true])
    func everySampleEventReachesItsTopicsInOrder(isMain: Bool) throws {
        let suffix = isMain ? "-<eventId>" : ""
        let fixture = try EngineFixture(template(admin: "serverlesspresso-admin\(suffix)", config: "serverlesspresso-config\(suffix)"))
        let events = try sampleEvents()
        let (topics, failures) = try expected(events, isMain: isMain)
        #expect(try play(events, on: fixture.engine) == topics)
        #expect(fixture.engine.counters.deliveriesFailed == UInt64(failures))
        #expect(fixture.engine.counters.deliveries == UInt64(topics.values.reduce(0) { $0 + $1.count }))
    }

    @Test func theShopsOwnRulesSendTheRecordedEventsToUsersAndBaristas() throws {
        let engine = try shopEngine().engine
        let events = try recordedEvents()
        var all = try expected(events, isMain: true).topics
        for event in events where event.isOf("OrderManager") || event.type == "OrderProcessor.OrderTimeOut" {
            let eventID = try #require(event.detail["eventId"] as? String)
            all["serverlesspresso-barista-\(eventID)", default: []].append(try event.payload)
        }
        let topics = try play(events, on: engine, keepsStatus: true)
        // What the shop adds for its own screens is on topics of its own.
        #expect(topics.filter { !$0.key.hasPrefix("serverlesspresso-orders/") && !$0.key.hasPrefix("serverlesspresso-board/") } == all)
    }
}
