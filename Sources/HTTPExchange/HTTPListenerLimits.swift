/// The bounds that every HTTP listener keeps to, whatever it answers.
package struct HTTPListenerLimits: Sendable, Equatable {
    /// How long a connection may stay silent between requests or inside one, in seconds.
    ///
    /// Then it is closed; a request whose body has begun is answered 408 first.
    package var idleSecondsMax: Int
    /// Longest time for a request's head to be complete, in seconds; then the connection is closed.
    ///
    /// The first one's counts from the opening of the connection, a later one's from its first bytes.
    package var headSecondsMax: Int
    /// Longest time for a request's body to arrive, in seconds; then whoever reads it gets ``RequestBodyFailure/tooSlow``.
    package var bodySecondsMax: Int
    /// Connections open at once; more wait in the listen queue.
    package var connectionsMax: Int
    /// Largest header section of a request, in bytes; a larger one is answered 400, and the connection is closed.
    package var headerBytesMax: Int
    /// Most header fields in a request; at the limit as for ``headerBytesMax``.
    package var headersMax: Int
    /// What all connections may keep of heads that are not complete.
    package var unfinishedHeads: UnfinishedHeads.Limit?

    package init(
        idleSecondsMax: Int, headSecondsMax: Int, bodySecondsMax: Int, connectionsMax: Int, headerBytesMax: Int,
        headersMax: Int, unfinishedHeads: UnfinishedHeads.Limit? = nil
    ) {
        self.idleSecondsMax = idleSecondsMax
        self.headSecondsMax = headSecondsMax
        self.bodySecondsMax = bodySecondsMax
        self.connectionsMax = connectionsMax
        self.headerBytesMax = headerBytesMax
        self.headersMax = headersMax
        self.unfinishedHeads = unfinishedHeads
    }
}
