import Testing

@testable import BrokerServer

@Suite struct AWSUserNameTests {
    @Test(
        "The name ends at the question mark; an authorizer is found wherever it stands",
        arguments: [
            ("ann", "ann", nil), ("", "", nil), ("ann?SDK=PythonV2&Version=1.2", "ann", nil), ("?SDK=PythonV2", "", nil),
            ("ann?x-amz-customauthorizer-name=shop", "ann", "shop"), ("ann?SDK=a&x-amz-customauthorizer-name=shop&x=1", "ann", "shop"),
            ("ann?X-Amz-CustomAuthorizer-Name=sh%6Fp", "ann", "shop"), ("ann?x-amz-customauthorizer-name", "ann", nil),
            ("ann?x-amz-customauthorizer-name=", "ann", ""), ("a?b?x-amz-customauthorizer-name=c", "a", nil),
            ("ann?\u{301}SDK=a&x-amz-customauthorizer-name=\u{301}", "ann", "\u{301}"),
        ] as [(String, String, String?)])
    func parts(text: String, name: String, authorizer: String?) throws {
        let userName = AWSUserName(text)
        #expect(try userName.name == name && userName.service("name") == authorizer)
    }

    @Test func valuesAreThoseOfAURL() throws {
        let userName = AWSUserName("ann?t=a%2Bb+c%3d==&T=other&broken=%4&sign=%+4&no=%FF&t2=1&t2=2")
        #expect(try userName.value(of: "t") == "a+b+c===" && userName.value(of: "T") == "other" && userName.value(of: "x") == nil)
        for key in ["broken", "sign", "no", "t2"] {
            #expect(throws: AuthorizerRefusal.self) { try userName.value(of: key) }
        }
    }
}
