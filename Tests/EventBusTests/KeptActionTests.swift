import CremaTesting
import Records
import Testing

@testable import EventBus

/// An action of a topic rule that waits is carried out after a restart as for the message and the rule of then.
@Suite struct KeptActionTests {
    private let store = RecordsInMemory()

    private static func rule(_ sql: String, _ actions: String...) -> String {
        """
          T:
            Type: AWS::IoT::TopicRule
            Properties:
              RuleName: devices
              TopicRulePayload:
                AwsIotSqlVersion: "2016-03-23"
                Sql: \(sql)
                Actions: [\(actions.joined(separator: ", "))]
        """
    }

    private static func http(_ device: String, path: String = "x") -> String {
        "{ Http: { Url: 'https://till.example/\(path)', Headers: [{ Key: X-Device, Value: '\(device)' }] } }"
    }

    @Test(
        "What a statement selected is delivered, whatever it would select now",
        arguments: [
            "SELECT n, sourceip() AS ip FROM 'devices/+' WHERE sourceip() = '192.0.2.1'", "SELECT n, rand() AS r FROM 'devices/+'",
        ])
    func whatWasSelected(sql: String) throws {
        let template = KeptDeliveryTests.destination + Self.rule(sql, Self.http("${sourceip()}"))
        let site = try KeptDeliveryTests.Site(store, template)
        site.publish("devices/one", #"{"n":2}"#)
        let first = try #require(site.calls().first)
        let again = try #require(try KeptDeliveryTests.Site(store, template).calls().first)
        #expect(again.body == first.body && again.header["x-device"] == "192.0.2.1")
        // And whatever is wanted by then.
        let other = KeptDeliveryTests.destination + Self.rule("SELECT * FROM 'devices/+' WHERE n > 9", Self.http("${sourceip()}"))
        #expect(try KeptDeliveryTests.Site(store, other).calls().map(\.body) == [first.body])
    }

    @Test func actionsThatCallTheSameAreToldApart() throws {
        let sql = "SELECT n FROM 'devices/+'"
        let template = KeptDeliveryTests.destination + Self.rule(sql, Self.http("one"), Self.http("two"))
        let site = try KeptDeliveryTests.Site(store, template)
        site.publish("devices/one", #"{"n":2}"#)
        #expect(site.calls().map { $0.header["x-device"] } == ["one", "two"])
        #expect(try KeptDeliveryTests.Site(store, template).calls().map { $0.header["x-device"] } == ["one", "two"])
    }

    @Test func anActionIsFoundBehindOthers() throws {
        let sql = "SELECT n FROM 'devices/+'"
        let site = try KeptDeliveryTests.Site(store, KeptDeliveryTests.destination + Self.rule(sql, Self.http("one")))
        site.publish("devices/one", #"{"n":2}"#)
        let next = try KeptDeliveryTests.Site(
            store, KeptDeliveryTests.destination + Self.rule(sql, Self.http("new", path: "y"), Self.http("one")))
        #expect(next.restored == (1, 0) && next.calls().map { $0.header["x-device"] } == ["one"])
    }

    @Test func whatAnOlderVersionKeptIsRead() throws {
        let template = KeptDeliveryTests.destination + Self.rule("SELECT n FROM 'devices/+'", Self.http("${clientid()}"))
        let site = try KeptDeliveryTests.Site(store, template)
        site.publish("devices/one", #"{"n":2}"#)
        let record = try #require(store.records(of: .delivery).first)
        // Without `192.0.2.1:1883` and `{"n":2}`, each with a flag and its length.
        store.append([.put(KeptRecord(record.key, [1] + record.fields.dropFirst().dropLast(9 + 14 + 9 + 7)))])
        let next = try KeptDeliveryTests.Site(store, template)
        let again = try #require(next.calls().first)
        #expect(again.body == #"{"n":2}"# && again.header["x-device"] == "device")
    }
}
