package import NIOCore

/// What a shard tells the world to do.
///
/// Carried out at once, on the shard's event loop; in tests, by a simulator.
package protocol ShardTransport: AnyObject {
    /// Something waits to be sent: call ``Shard/endTurn(now:)`` when the events at hand have been fed in.
    func turnNeedsEnd()
    /// Something is left to do when others have had their turn: call ``Shard/continueWork(now:)`` after sockets have been read.
    func workLater()
    /// Writes to the connection's socket. Answers whether it takes more now; if not, ``Shard/transportWritable(_:_:now:)`` is to follow.
    func send(_ bytes: ByteBuffer, on connection: ClientConnection) -> Bool
    /// Closes the socket after what was sent before.
    ///
    /// The reason tells whether the client waits for anything, and a transport that has words of its own for a goodbye chooses them by it.
    func close(_ connection: ClientConnection, because reason: CloseReason)
    /// Begins or ceases to read from the connection's socket; it reads at first.
    func setReading(_ isReading: Bool, on connection: ClientConnection)
    /// Has a proof checked off the event loop; `Shard.credentialChecked` is to follow, unless it is abandoned.
    func check(_ check: any CredentialCheck, of connection: ClientConnection)
    /// Nobody waits for the answer of the connection's check any more.
    func abandonCheck(of connection: ClientConnection)
    /// All that came with ``Shard/publish(_:receipt:now:)`` under this number is routed, and handed over; and on disk as far as it has to be,
    /// unless the disk takes nothing.
    func published(_ receipt: UInt64, isKept: Bool)
    /// Hands messages to another shard, in order.
    func handOff(_ messages: [ShardMessage], to shard: ShardID)
    /// The shard wants ``Shard/deadlineReached(now:)`` at this time, or earlier.
    func setDeadline(_ deadline: Instant)
    /// For the log and for metrics.
    func report(_ event: BrokerEvent)
    /// A message passed that somebody tails.
    func tapped(_ tap: UInt64, message: Message, publisher: Publisher, skipped: UInt64)
    /// Something happened to a client that somebody traces.
    func traced(_ trace: UInt64, _ step: TracedStep)
}
