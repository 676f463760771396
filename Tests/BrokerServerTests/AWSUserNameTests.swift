import Testing

@testable import BrokerServer

@Suite struct AWSUserNameTests {
    @Test(
        "The name ends at the question mark; an authorizer is found wherever it stands",
        arguments: [
            ("ann", "ann", nil), ("", "", nil), ("ann?SDK=PythonV2&Version=1.2", "ann", nil), ("?SDK=PythonV2", "", nil),
            ("ann?x-amz-customauthorizer-name=shop", "ann", "shop"), ("ann?SDK=a&x-amz-customauthorizer-name=shop&x=1", "ann", "shop"),
            ("ann?x-amz-customauthorizer-name=", "ann", ""), ("a?b?x-amz-customauthorizer-name=c", "a", nil),
            ("ann?\u{301}SDK=a&x-amz-customauthorizer-name=\u{301}", "ann", "\u{301}"),
        ] as [(String, String, String?)])
    func parts(text: String, name: String, authorizer: String?) {
        let userName = AWSUserName(text)
        #expect(userName.name == name && userName.authorizer == authorizer)
    }
}
