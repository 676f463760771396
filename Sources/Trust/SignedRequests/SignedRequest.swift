/// An HTTP request as it came, without its body: what a signature is about.
package struct SignedRequest: Sendable {
    package var method: String
    /// Path and query as they came, still encoded.
    package var target: String
    /// In the order in which they came, `host` among them.
    package var headers: [(name: String, value: String)]

    package init(method: String, target: String, headers: [(name: String, value: String)]) {
        (self.method, self.target, self.headers) = (method, target, headers)
    }

    /// Whether the request carries a signature of AWS's, whichever and be it right or not.
    ///
    /// One that does is never let in as somebody who proved nothing.
    package var isSigned: Bool {
        values(of: "authorization").contains { $0.hasPrefix("AWS") } || isSignedInQuery
    }

    /// Whether the query speaks of a signature; other parameters, `X-Amz-Date` among them, may mean anything.
    var isSignedInQuery: Bool {
        let marks = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"].map { Array($0.utf8) }
        return query.contains { marks.contains($0.name) }
    }

    /// The path as it came, still encoded.
    var path: [UInt8] { Array(target.utf8.prefix { $0 != UInt8(ascii: "?") }) }

    /// The parameters of the query, decoded, in the order in which they came.
    var query: [QueryParameter] {
        let text = target.utf8.drop { $0 != UInt8(ascii: "?") }.dropFirst()
        if text.isEmpty { return [] }
        return text.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false).map { QueryParameter(encoded: Array($0)) }
    }

    /// The values of all fields of a name, which is given in lower case.
    func values(of name: String) -> [String] {
        headers.filter { $0.name.lowercased() == name }.map(\.value)
    }
}

/// One parameter of a query, decoded.
struct QueryParameter: Equatable {
    var name: [UInt8]
    var value: [UInt8]

    /// `name=value`; a parameter without `=` has an empty value.
    init(encoded: [UInt8]) {
        let name = encoded.prefix { $0 != UInt8(ascii: "=") }
        self.name = Self.decoded(name)
        value = Self.decoded(encoded.dropFirst(name.count + 1))
    }

    /// A `+` is a space, as it is to everything that reads queries here; a `%` that begins no escape is one.
    private static func decoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): output.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.first.flatMap(digit), let low = rest.dropFirst().first.flatMap(digit) else {
                    output.append(byte)
                    continue
                }
                output.append(high << 4 | low)
                rest = rest.dropFirst(2)
            default: output.append(byte)
            }
        }
        return output
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
