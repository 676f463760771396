import CremaTesting
import Foundation
import Testing
import Tokens

/// The page of limits says what tokens keep to.
@Suite struct LimitPageTests {
    @Test("Every limit of tokens stands on the page once, with its default, and can be configured")
    func tokens() throws {
        let page = LimitPage(text: try String(contentsOfFile: LimitPage.path, encoding: .utf8))
        #expect(page.differences(of: .tokens, from: TokenLimits(), TokenLimits.names) == [])
    }
}
