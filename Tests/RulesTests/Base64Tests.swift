import Foundation
import Rules
import Testing

@Suite struct Base64Tests {
    @Test func isTheStandardOneBothWays() {
        for count in 0..<50 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            let encoded = Base64.encode(bytes)
            #expect(text(encoded) == Data(bytes).base64EncodedString())
            #expect(Base64.decode(encoded[...]) == bytes)
        }
    }

    @Test(arguments: ["a", "ab", "abc", "====", "a===", "ab=c", "a b=", "abc=\n", "ab==ab==", "YR==", "YWJ=", "YWJj-_=="])
    func whatIsNotExactlyTheTextOfSomeBytesIsRefused(damaged: String) {
        #expect(Base64.decode(ArraySlice(damaged.utf8)) == nil)
    }
}
