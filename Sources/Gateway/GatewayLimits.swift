/// The bounds of one HTTP listener for programs.
///
/// Each is named in the error that it causes.
package struct GatewayLimits: Sendable, Equatable {
    /// Longest request body of an API route, in bytes.
    ///
    /// A longer one is answered 413 without being read to its end.
    package var httpBodyBytesMax = 1 << 20
    /// Longest body of a PutEvents request, in bytes.
    ///
    /// Larger than what its entries may count (`putEventsBytesMax` of the event bus), because an event's detail is JSON inside a JSON
    /// string, where every quotation mark takes two bytes.
    package var putEventsBodyBytesMax = 4 << 20
    /// Longest body of a request to a queue, in bytes.
    ///
    /// Larger than what its messages may count (`queueMessageBytesMax`), for the same reason.
    package var queueBodyBytesMax = 4 << 20
    /// Fields of a form in the queues' query protocol; a request with more is refused.
    ///
    /// Ten messages with ten attributes each have 360 and a few.
    package var queueFormFieldsMax = 1_000
    /// How long a request's head may take, in seconds: the first one's from the opening of the connection, a later one's from its first bytes.
    ///
    /// Then the connection is closed.
    package var httpHeadSecondsMax = 10
    /// Longest time for a request's body to arrive, in seconds.
    ///
    /// A slower one is answered 408, and the connection is closed.
    package var httpBodySecondsMax = 30
    /// How long a connection may stay silent between requests or inside one, in seconds.
    ///
    /// Then it is closed; a request whose body has begun is answered 408 first.
    package var httpIdleSecondsMax = 60
    /// Connections open at once; more wait in the listen queue.
    package var httpConnectionsMax = 1_024
    /// Of these, MQTT over WebSocket; a further one is answered 503, so that clients that stay leave room for requests.
    package var httpWebSocketsMax = 512
    /// Largest header section of a request, in bytes.
    ///
    /// A larger one is answered 400, and the connection is closed.
    package var httpHeaderBytesMax = 16 << 10
    /// Bytes of heads that are not complete, of all connections of a listener, beyond the first 1,024 of each.
    ///
    /// The request that would add more is answered 503, and its connection is closed.
    package var httpHeaderBytesInAllMax = 4 << 20
    /// Most header fields in a request.
    package var httpHeadersMax = 100

    /// Files of a listener's `pages`; with more of them the configuration is refused.
    package var pageFilesMax = 512
    /// Bytes of these files together, which are kept in memory; with more the configuration is refused.
    package var pageBytesInAllMax = 16 << 20

    package init() {}

    /// The names under `limits:` in the configuration file, with the value each one sets.
    package static let names: [(name: String, path: any WritableKeyPath<GatewayLimits, Int> & Sendable)] = [
        ("httpBodyBytesMax", \.httpBodyBytesMax), ("putEventsBodyBytesMax", \.putEventsBodyBytesMax),
        ("queueBodyBytesMax", \.queueBodyBytesMax), ("queueFormFieldsMax", \.queueFormFieldsMax),
        ("httpHeadSecondsMax", \.httpHeadSecondsMax), ("httpBodySecondsMax", \.httpBodySecondsMax),
        ("httpIdleSecondsMax", \.httpIdleSecondsMax),
        ("httpConnectionsMax", \.httpConnectionsMax), ("httpWebSocketsMax", \.httpWebSocketsMax),
        ("httpHeaderBytesMax", \.httpHeaderBytesMax), ("httpHeaderBytesInAllMax", \.httpHeaderBytesInAllMax),
        ("httpHeadersMax", \.httpHeadersMax), ("pageFilesMax", \.pageFilesMax), ("pageBytesInAllMax", \.pageBytesInAllMax),
    ]
}
