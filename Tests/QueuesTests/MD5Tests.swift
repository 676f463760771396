import Testing

@testable import Queues

@Suite struct MD5Tests {
    @Test(
        "The digests of RFC 1321, appendix A.5",
        arguments: [
            ("", "d41d8cd98f00b204e9800998ecf8427e"), ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"), ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"),
            (String(repeating: "1234567890", count: 8), "57edf4a22be3c955ac49da2e2107b67a"),
        ])
    func ofRFC(text: String, digest: String) {
        #expect(MD5.hexadecimal(of: text.utf8) == digest)
    }

    @Test(
        "Lengths around the block's end, as openssl computes them",
        arguments: [
            (55, "04364420e25c512fd958a70738aa8f72"),
            (56, "668a72d5ba17f08e62dabcafad6db14b"),
            (57, "693037871c4a9d3d8685018905cb530a"),
            (63, "7dc2ca208106a2f703567bdff99d8981"),
            (64, "c1bb4f81d892b2d57947682aeb252456"),
            (65, "1bc932052302d074bdec39795fe00cf6"),
            (119, "ab347a5f68c8a443cfcddc633f12c24f"),
            (120, "fb98667f98096de92620b64f46e1c5b5"),
            (1000, "398533d48111e9f664b1f64cb10c4b63"),
        ])
    func aroundTheBlock(length: Int, digest: String) {
        #expect(MD5.hexadecimal(of: repeatElement(UInt8(ascii: "x"), count: length)) == digest)
    }

    @Test func theDigestOfAttributesIsThatOfTheirSortedNamesTypesAndValues() {
        let attributes: [String: QueueMessageAttribute] = [
            "zone": .text("bar"), "count": .number(12), "Raw": .init(dataType: "Binary.gif", value: .binary([0, 255, 10])),
        ]
        #expect(attributes.digest == "f98a27584e6a7ca368087eede76c2d1a")
        #expect([String: QueueMessageAttribute]().digest == nil)
    }
}
