/// What a token looks like, for places that take passwords, too.
package enum TokenShape {
    /// Whether a text could be a token: three parts of base64url, the first of which begins an object.
    ///
    /// Says nothing about whether it is one.
    package static func fits(_ text: some Collection<UInt8>) -> Bool {
        // `{"` in base64url. JSON may begin with a blank; the header of no token that is issued does.
        guard text.starts(with: "eyJ".utf8) else { return false }
        var dots = 0
        for byte in text {
            switch byte {
            case UInt8(ascii: "."): dots += 1
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"):
                break
            default: return false
            }
        }
        return dots == 2
    }
}
