import HTTPTypes

extension HTTPField.Name {
    static let amazonTarget = constant("X-Amz-Target")
    static let amazonRequestID = constant("x-amzn-RequestId")
    static let amazonErrorType = constant("x-amzn-ErrorType")
    static let amazonQueryError = constant("x-amzn-query-error")
    static let amazonPrincipal = constant("x-amzn-principal")
    static let amazonTagging = constant("x-amz-tagging")
    static let payloadFormatIndicator = constant("x-amz-mqtt5-payload-format-indicator")
    static let correlationData = constant("x-amz-mqtt5-correlation-data")
    static let userProperties = constant("x-amz-mqtt5-user-properties")
    static let traceParent = constant("traceparent")
    static let xRayTrace = constant("X-Amzn-Trace-Id")
    static let fetchSite = constant("Sec-Fetch-Site")
    static let contentTypeOptions = constant("X-Content-Type-Options")

    private static func constant(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no header name") }
        return name
    }
}
