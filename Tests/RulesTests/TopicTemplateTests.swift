import Rules
import Testing

@Suite struct TopicTemplateTests {
    private let placeholders = [("user", "$.detail.userId"), ("n", "$.detail.n")]

    private func render(_ template: String, _ detail: String) throws -> String {
        try TopicTemplate(parsing: template, placeholders: placeholders).render(try json("{\"detail\":\(detail)}"))
    }

    @Test(arguments: [
        ("serverlesspresso-user-<user>", #"{"userId":"u1"}"#, "serverlesspresso-user-u1"),
        ("a/<user>/<n>/b", #"{"userId":"x y","n":1.0}"#, "a/x y/1.0/b"),
        ("<user><n>", #"{"userId":true,"n":"é"}"#, "trueé"), ("plain/topic", "{}", "plain/topic"), ("a<user>", #"{"userId":"$x"}"#, "a$x"),
        ("$aws/<user>", #"{"userId":"x"}"#, "$aws/x"),
    ])
    func valuesFillTheirPlaces(template: String, detail: String, topic: String) throws {
        #expect(try render(template, detail) == topic)
    }

    @Test(arguments: [
        (#"{}"#, TopicTemplateError.missingValue(placeholder: "user")), (#"{"userId":null}"#, .missingValue(placeholder: "user")),
        (#"{"userId":""}"#, .emptyValue(placeholder: "user")), (#"{"userId":{}}"#, .notScalar(placeholder: "user")),
        (#"{"userId":["x"]}"#, .notScalar(placeholder: "user")),
        (#"{"userId":"a/b"}"#, .changesShape(placeholder: "user", character: "'/'")),
        (#"{"userId":"+"}"#, .changesShape(placeholder: "user", character: "'+'")),
        (#"{"userId":"a#"}"#, .changesShape(placeholder: "user", character: "'#'")),
        (#"{"userId":"a\u0000"}"#, .changesShape(placeholder: "user", character: "NUL")),
        (#"{"userId":"\u0001"}"#, .changesShape(placeholder: "user", character: "U+0001")),
        (#"{"userId":"a\u0085"}"#, .changesShape(placeholder: "user", character: "U+0085")),
        (#"{"userId":"a\uffff"}"#, .changesShape(placeholder: "user", character: "U+FFFF")),
        (#"{"userId":1e+5}"#, .changesShape(placeholder: "user", character: "'+'")),
    ])
    func whatWouldChangeTheTopicFailsAndNamesThePlaceholder(detail: String, expected: TopicTemplateError) {
        #expect(throws: expected) { try render("u/<user>/x", detail) }
        #expect(expected.description.contains("<user>"))
    }

    @Test func aValueCannotMakeATopicOfTheBroker() {
        #expect(throws: TopicTemplateError.changesShape(placeholder: "user", character: "'$' at the start of the topic")) {
            try render("<user>/x", #"{"userId":"$SYS"}"#)
        }
    }

    @Test(arguments: [
        ("", TopicTemplateError.emptyTopic), ("a/<other>", .unknownPlaceholder("other")), ("a/<>", .emptyPlaceholder),
        ("a/+/b", .forbiddenCharacter("'+'")),
        ("a/#", .forbiddenCharacter("'#'")), ("a\u{0}", .forbiddenCharacter("NUL")), ("a/<user", .forbiddenCharacter("'<' without '>'")),
    ])
    func unusableTemplatesAreRefused(template: String, expected: TopicTemplateError) {
        #expect(throws: expected) { try TopicTemplate(parsing: template, placeholders: placeholders) }
    }

    @Test func anUnusablePathIsRefusedWithItsPlaceholder() {
        let error = #expect(throws: TopicTemplateError.self) { try TopicTemplate(parsing: "<x>", placeholders: [("x", "$..a")]) }
        #expect(error?.description == "placeholder <x>: path '$..a': '..' is not supported")
    }

    @Test func theLengthIsBoundedBeforeAndAfterFilling() throws {
        let template = String(repeating: "t", count: 65_530) + "<user>"
        #expect(throws: TopicTemplateError.tooLong(bytesMax: 65_535)) { try render(template, #"{"userId":"u"}"#) }
        let short = String(repeating: "t", count: 65_529) + "<user>"
        #expect(try render(short, #"{"userId":"123456"}"#).utf8.count == 65_535)
        #expect(throws: TopicTemplateError.tooLong(bytesMax: 65_535)) { try render(short, #"{"userId":"1234567"}"#) }
    }
}
