import AdminServer
import CremaTesting
import Foundation
import Testing

/// The page of limits says what the listeners for people keep to.
@Suite struct LimitPageTests {
    @Test("Every limit of an admin listener stands on the page once, with its default, and can be configured")
    func inspection() throws {
        let page = LimitPage(text: try String(contentsOfFile: LimitPage.path, encoding: .utf8))
        #expect(page.differences(of: .inspection, from: InspectionLimits(), InspectionLimits.names) == [])
    }
}
