/// The bounds of one listener for people.
///
/// Each is named in the error that it causes.
package struct InspectionLimits: Sendable, Equatable {
    /// Most rows of one answer of the inspection API; a larger `limit` is refused.
    package var listRowsMax = 10_000
    /// Live streams open at once; a further one is answered 503.
    package var tailStreamsMax = 16
    /// Traces open at once; a further one is answered 503.
    package var tracesMax = 4
    /// Seconds that a trace may be asked to last.
    package var traceSecondsMax = 3_600
    /// Lines of a second that a trace may be asked to show; what is more is counted.
    package var traceLinesPerSecondMax = 1_000
    /// Most bytes of a payload in a live stream; a longer one is cut, and its record says so.
    package var tailPayloadBytesMax = 64 << 10
    /// Seconds of silence after which a live stream writes an empty line, so that a peer that is gone is noticed.
    package var tailHeartbeatSeconds = 15
    /// Largest body of a request, in bytes; a larger one is answered 413.
    package var adminBodyBytesMax = 256 << 10
    /// Longest time, in seconds, for which another log level may be asked for; a longer one is refused.
    package var logLevelSecondsMax = 86_400
    /// How long a connection may stay silent between requests, in seconds, before it is closed.
    package var adminIdleSecondsMax = 60
    /// How long a request's head may take, in seconds: the first one's from the opening of the connection, a later one's from its first bytes.
    ///
    /// Then the connection is closed.
    package var adminHeadSecondsMax = 10
    /// Connections open at once; more wait in the listen queue.
    package var adminConnectionsMax = 256
    /// Largest header section of a request, in bytes.
    ///
    /// A larger one is answered 400, and the connection is closed.
    package var adminHeaderBytesMax = 16 << 10
    /// Bytes of heads that are not complete, of all connections of a listener, beyond the first 1,024 of each.
    ///
    /// The request that would add more is answered 503, and its connection is closed.
    package var adminHeaderBytesInAllMax = 1 << 20
    /// Most header fields in a request.
    package var adminHeadersMax = 100

    package init() {}

    /// The names under `limits:` in the configuration file, with the value each one sets.
    package static let names: [(name: String, path: any WritableKeyPath<InspectionLimits, Int> & Sendable)] = [
        ("logLevelSecondsMax", \.logLevelSecondsMax),
        ("listRowsMax", \.listRowsMax), ("tailStreamsMax", \.tailStreamsMax), ("tailPayloadBytesMax", \.tailPayloadBytesMax),
        ("tracesMax", \.tracesMax), ("traceSecondsMax", \.traceSecondsMax), ("traceLinesPerSecondMax", \.traceLinesPerSecondMax),
        ("tailHeartbeatSeconds", \.tailHeartbeatSeconds), ("adminBodyBytesMax", \.adminBodyBytesMax),
        ("adminIdleSecondsMax", \.adminIdleSecondsMax),
        ("adminHeadSecondsMax", \.adminHeadSecondsMax), ("adminConnectionsMax", \.adminConnectionsMax),
        ("adminHeaderBytesMax", \.adminHeaderBytesMax), ("adminHeaderBytesInAllMax", \.adminHeaderBytesInAllMax),
        ("adminHeadersMax", \.adminHeadersMax),
    ]
}
