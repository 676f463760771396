import Testing

@testable import Tokens

@Suite struct TokenShapeTests {
    @Test func aTokenIsThreePartsOfBase64URL() {
        #expect(TokenShape.fits("eyJh.e30.c2ln".utf8))
        #expect(!TokenShape.fits("eyJh.e30".utf8))
        #expect(!TokenShape.fits("eyJh.e30.c2ln.x".utf8))
        #expect(!TokenShape.fits("eyJh.e30.c2l=".utf8))
        #expect(!TokenShape.fits("correct.horse.battery".utf8))
    }
}
