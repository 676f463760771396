/// What a request says of its signature; read, and believed in nothing yet.
package struct SignatureClaims: Sendable, Equatable {
    static let algorithm = "AWS4-HMAC-SHA256"
    static let terminator = "aws4_request"

    /// For which day, region and service a key was derived.
    package struct Scope: Sendable, Hashable {
        /// `20261126`.
        var day: String
        package var region: String
        package var service: String

        var text: String { "\(day)/\(region)/\(service)/\(terminator)" }
    }

    package var keyID: String
    package var scope: Scope
    /// In lower case, in order, each once.
    var signedHeaders: [String]
    /// 64 digits, as they came.
    var signature: [UInt8]
    var time: SignatureTime
    /// How long a signed URL is good; `nil` for a signature in a header, and for a URL that does not say.
    var seconds: Int?
    var sessionToken: String?
    /// Parameters of the query that are not part of what is signed.
    var unsignedParameters: [String] = []

    /// Reads the claims of a request.
    ///
    /// - Throws: ``SignatureFailure/missing``, or why what is there is no signature.
    init(_ request: SignedRequest) throws(SignatureFailure) {
        let authorization = request.values(of: "authorization").filter { $0.hasPrefix("AWS") }
        let query = try SignatureFields(query: request)
        switch (authorization.count, query) {
        case (0, nil): throw .missing
        case (0, let query?): try self.init(query: query)
        case (1, nil): try self.init(header: SignatureFields(authorization: authorization[0]), request)
        default: throw .incomplete("The request is signed more than once: by one 'Authorization' header, or in the query.")
        }
        guard request.target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .incomplete("The request's target has characters that must be percent-encoded.")
        }
        guard CanonicalRequest.isUnambiguous(request.path) else {
            throw .incomplete("The request's path has empty levels, '.' or '..', which a signature does not tell apart.")
        }
        try checkHeaders(request)
    }

    private init(header fields: SignatureFields, _ request: SignedRequest) throws(SignatureFailure) {
        let stamps = request.values(of: "x-amz-date")
        let dates = stamps.isEmpty ? request.values(of: "date") : stamps
        let time = stamps.isEmpty ? dates.first.flatMap { SignatureTime(httpDate: $0) } : SignatureTime(basic: stamps[0])
        guard dates.count == 1, let time else {
            throw .incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
        }
        try self.init(fields, time: time)
        let tokens = request.values(of: "x-amz-security-token")
        guard tokens.count <= 1 else { throw .incomplete("'X-Amz-Security-Token' stands twice.") }
        sessionToken = tokens.first
    }

    private init(query fields: SignatureFields) throws(SignatureFailure) {
        guard fields.value("Algorithm") == Self.algorithm else {
            throw .incomplete("Unsupported AWS 'algorithm': '\(fields.shown("Algorithm"))'.")
        }
        guard let time = fields.value("Date").flatMap({ SignatureTime(basic: $0) }) else {
            throw .incomplete("AWS query-string parameters must include a valid 'X-Amz-Date'.")
        }
        try self.init(fields, time: time)
        if let text = fields.value("Expires") {
            guard let seconds = Int(text), seconds > 0 else { throw .incomplete("'X-Amz-Expires' must be a number of seconds.") }
            self.seconds = seconds
        }
        sessionToken = fields.value("Security-Token")
        unsignedParameters = ["X-Amz-Signature"]
        // The one service whose clients add it afterwards.
        if scope.service == "iotdevicegateway" { unsignedParameters.append("X-Amz-Security-Token") }
    }

    /// What both forms have.
    private init(_ fields: SignatureFields, time: SignatureTime) throws(SignatureFailure) {
        let missing = ["Credential", "SignedHeaders", "Signature"].filter { fields.value($0) == nil }
        guard missing.isEmpty, let credential = fields.value("Credential"), let headers = fields.value("SignedHeaders"),
            let signature = fields.value("Signature")
        else {
            throw .incomplete(missing.map { "\(fields.place) requires '\(fields.prefix)\($0)' parameter." }.joined(separator: " "))
        }
        let parts = credential.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5 else {
            throw .incomplete(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got "
                    + "'\(fields.shown("Credential"))'.")
        }
        guard AccessKey.isID(parts[0]), Self.isName(parts[2]), Self.isName(parts[3]) else {
            throw .incomplete("Credential has a key, a region or a service that is none: '\(fields.shown("Credential"))'.")
        }
        guard parts[4] == Self.terminator else {
            throw .wrongScope(
                "Credential should be scoped with a valid terminator: '\(Self.terminator)', not '\(PrintableText.escaping(parts[4].utf8))'."
            )
        }
        let day = String(time.basic.prefix(8))
        guard parts[1] == day else {
            throw .wrongScope(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                    + "'\(PrintableText.escaping(parts[1].utf8))' != '\(day)', from '\(time.basic)'.")
        }
        guard signature.utf8.count == 2 * SHA256.byteCount else { throw .mismatch }
        keyID = parts[0]
        scope = Scope(day: day, region: parts[2], service: parts[3])
        signedHeaders = headers.split(separator: ";", omittingEmptySubsequences: false).map(String.init)
        self.signature = Array(signature.utf8)
        self.time = time
    }

    /// Of a region or a service.
    private static func isName(_ text: String) -> Bool {
        (1...SignatureLimits.regionBytesMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
                default: false
                }
            }
    }

    /// Whom AWS IoT's calls of things and certificates are about.
    private static let principal = "x-amzn-principal"

    /// `host` is signed, so that the request is for this host; and so is whatever else speaks AWS's language.
    private func checkHeaders(_ request: SignedRequest) throws(SignatureFailure) {
        guard zip(signedHeaders, signedHeaders.dropFirst()).allSatisfy({ Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }) else {
            throw .incomplete("'SignedHeaders' must be sorted, and have each header once.")
        }
        let present = Set(request.headers.map { $0.name.lowercased() })
        guard signedHeaders.contains("host"), request.values(of: "host").count == 1 else {
            throw .unsigned("'Host' must be a 'SignedHeader' in the AWS Authorization.")
        }
        if let absent = signedHeaders.first(where: { !present.contains($0) }) {
            throw .unsigned("The signed header '\(PrintableText.escaping(absent.utf8))' is not in the request.")
        }
        if let name = present.filter({ ($0.hasPrefix("x-amz-") || $0 == Self.principal) && !signedHeaders.contains($0) }).min() {
            throw .unsigned("'\(PrintableText.escaping(name.utf8))' must be a 'SignedHeader' in the AWS Authorization.")
        }
    }
}

/// The named parts of a signature, from a header or from the query.
private struct SignatureFields {
    /// What AWS calls the place.
    let place: String
    /// What stands before the names there.
    let prefix: String
    private var values: [String: String] = [:]

    /// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
    init(authorization text: String) throws(SignatureFailure) {
        (place, prefix) = ("Authorization header", "")
        let name = text.prefix { $0 != " " }
        guard name == SignatureClaims.algorithm else {
            throw .incomplete("Unsupported AWS 'algorithm': '\(PrintableText.escaping(name.utf8))'.")
        }
        let known = ["Credential", "SignedHeaders", "Signature"]
        for part in text.dropFirst(name.count).split(separator: ",") {
            let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, known.contains(String(pair[0])),
                values.updateValue(String(pair[1].prefix { $0 != " " }), forKey: String(pair[0])) == nil
            else { throw .incomplete("The Authorization header is not of the form Credential=…, SignedHeaders=…, Signature=….") }
        }
    }

    /// `X-Amz-…` of the query; `nil` where nothing there speaks of a signature.
    init?(query request: SignedRequest) throws(SignatureFailure) {
        guard request.isSignedInQuery else { return nil }
        (place, prefix) = ("AWS query-string", "X-Amz-")
        let known = ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature", "Security-Token"]
        for parameter in request.query {
            guard let name = known.first(where: { Array("X-Amz-\($0)".utf8) == parameter.name }) else { continue }
            guard let value = String(validating: parameter.value, as: UTF8.self), values.updateValue(value, forKey: name) == nil else {
                throw .incomplete("'X-Amz-\(name)' stands twice in the query, or is not UTF-8.")
            }
        }
    }

    func value(_ name: String) -> String? { values[name] }

    /// For a text that others read.
    func shown(_ name: String) -> String { PrintableText.escaping((values[name] ?? "").utf8) }
}
