import BrokerServer
import CremaTesting
import Foundation
import Testing

@Suite struct LimitPageTests {
    @Test("The page of limits says what the checks of passwords keep to")
    func credentials() throws {
        let page = LimitPage(text: try String(contentsOfFile: LimitPage.path, encoding: .utf8))
        #expect(page.differences(of: .credentials, from: CredentialLimits(), CredentialLimits.names) == [])
    }
}
