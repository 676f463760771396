import MQTTCodec
import Testing

/// Topic filters of shared subscriptions (MQTT 5 section 4.8.2).
@Suite struct SharedFilterTests {
    @Test(
        "Share name and filter [MQTT5-4.8.2-1]",
        arguments: [
            ("$share/g/a", "g", "a"), ("$share/g/+/#", "g", "+/#"), ("$share/g//", "g", "/"), ("$share/ /a", " ", "a"),
            ("$share/g/$SYS/#", "g", "$SYS/#"), ("$share/$share/$share/g/a", "$share", "$share/g/a"),
            ("$share/e\u{301}/a", "e\u{301}", "a"),
        ])
    func takesApart(text: String, name: String, filter: String) throws {
        let shared = try #require(try SharedFilter(parsing: text))
        #expect(Array(shared.shareName.utf8) == Array(name.utf8) && Array(shared.filter.utf8) == Array(filter.utf8))
    }

    @Test(
        "Without a name, without a filter, with a wildcard in the name [MQTT5-4.8.2-1] [MQTT5-4.8.2-2]",
        arguments: ["$share/", "$share/g", "$share//a", "$share//", "$share/g/", "$share/+/a", "$share/#", "$share/#/a", "$share/a+b/c"])
    func refuses(text: String) {
        #expect(throws: DecodeError.invalidSharedFilter) { try SharedFilter(parsing: text) }
    }

    @Test(arguments: ["", "$share", "$shared/g/a", "$SHARE/g/a", "/$share/g/a", "share/g/a", "$share\u{301}/g/a"])
    func isNone(text: String) throws {
        #expect(try SharedFilter(parsing: text) == nil)
    }
}
