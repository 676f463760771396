import Rules
import Testing

@Suite struct SubstitutionTemplateTests {
    private let input = SQLInput(
        topic: "orders/shop/7", payload: Array(#"{"user":"u1","n":1.50,"o":{"a":1},"z":null,"c":"}"}"#.utf8), clientID: "device",
        principal: nil, timestampMilliseconds: 1_700_000_000_000)

    @Test(arguments: [
        ("plain", "plain"), ("", ""), ("users/${user}/status", "users/u1/status"), ("${topic(2)}-${ topic(3) }", "shop-7"), ("${n}", "1.5"),
        ("${o}", #"{"a":1}"#),
        ("$$aws/things/${user}", "$aws/things/u1"), ("$$", "$"), ("$${user}", "${user}"), ("a$$b", "a$$b"), ("$x", "$x"), ("a$", "a$"),
        ("${c}", "}"),
        ("${'}'}", "}"), ("${user + '}' + 1}x", "u1}1x"), ("${timestamp() / 1000}", "1700000000"), ("{user}", "{user}"),
    ])
    func expressionsFillTheirPlaces(template: String, expected: String) throws {
        #expect(try SubstitutionTemplate(parsing: template).render(input) == expected)
    }

    @Test(arguments: ["${missing}", "a/${z}", "${principal()}", "${1/0}"])
    func anUndefinedValueGivesNothing(template: String) throws {
        #expect(try SubstitutionTemplate(parsing: template).render(input) == nil)
    }

    @Test(arguments: [
        ("${", 2, "an expression expected, found the end of the text"), ("${}", 2, "an expression expected, found '}'"),
        ("a${user", 7, "'}' expected, found the end of the text"),
        ("${user x}", 7, "'}' expected, found 'x'"), ("${*}", 2, "an expression expected, found '*'"),
        ("é${nobody(user)}", 4, "function 'nobody' is not known"),
    ])
    func unusableTemplatesAreRefused(template: String, offset: Int, message: String) {
        let error = #expect(throws: SQLError.self) { try SubstitutionTemplate(parsing: template) }
        #expect(error?.offset == offset)
        #expect(error?.message == message)
    }

    @Test func theResultsLengthIsBounded() throws {
        let long = SQLInput(
            topic: "t", payload: Array("{\"s\":\"\(String(repeating: "x", count: 40_000))\"}".utf8), clientID: nil, principal: nil,
            timestampMilliseconds: 0)
        #expect(try SubstitutionTemplate(parsing: "${s}").render(long)?.utf8.count == 40_000)
        #expect(try SubstitutionTemplate(parsing: "${s}${s}").render(long) == nil)
    }
}
