/// Every limit of the broker: its name in the configuration, its default, and what happens at it.
package struct BrokerLimits: Sendable, Equatable {
    /// Connections of MQTT clients on all listeners, over WebSocket also those of `http`; one more is closed when it is accepted, and
    /// counted as `connections`.
    ///
    /// Never more than the process may have open files, but for those that the rest of the program needs.
    package var connectionsMax = 1_000_000
    /// Seconds from accept, TLS handshake included, until CONNECT must be complete; then the connection is closed.
    package var connectSecondsMax = 5
    /// Bytes of a CONNECT packet; a larger one closes the connection before it is read.
    package var connectBytesMax = 65_536
    /// Bytes kept of all who have not said who they are, an equal share on each event loop; the connection that would add more is closed.
    ///
    /// They are those of CONNECT, of AUTH before CONNACK, and of requests that are to open WebSocket connections on listeners of the broker's
    /// own. The first ``connectBytesAlways`` of each are not counted.
    package var connectBytesInAllMax = 4_194_304
    /// Bytes of any other packet; a larger one closes the connection when its header is there.
    ///
    /// More than ``packetBytesAlwaysMax`` counts as that.
    package var packetBytesMax = 1_048_576
    /// Bytes of a topic name or filter; a longer name closes the connection, a longer filter is refused with 0x80.
    package var topicBytesMax = 1_024
    /// Levels of a topic name or filter; at the limit as for ``topicBytesMax``.
    package var topicLevelsMax = 128
    /// Bytes of a client identifier; a longer one is refused with 0x02.
    ///
    /// One of up to ``clientIDBytesAlways`` is taken whatever is set here.
    package var clientIDBytesMax = 256
    /// Topic filters in one SUBSCRIBE or UNSUBSCRIBE; more close the connection.
    package var filtersPerPacketMax = 1_024
    /// Subscriptions of one session; further ones are refused with 0x80.
    package var subscriptionsPerClientMax = 10_000
    /// Levels of the filters of one session, one for a filter without wildcards; at the limit as for ``subscriptionsPerClientMax``.
    package var filterLevelsPerClientMax = 50_000
    /// Shared subscriptions of one session; at the limit as for ``subscriptionsPerClientMax``.
    ///
    /// Each of them can get a copy of its own of every message.
    package var sharedSubscriptionsPerClientMax = 1_000
    /// Levels of the filters of all sessions, about 600 bytes each where they have wildcards; an equal share on each event loop; at the
    /// limit as for ``subscriptionsPerClientMax``.
    package var filterLevelsInAllMax = 4_000_000
    /// Subscriptions of all sessions, an equal share on each event loop; at the limit as for ``subscriptionsPerClientMax``.
    package var subscriptionsInAllMax = 2_000_000
    /// Sessions, with and without a connection; a client that has none is refused with 0x97, 0x03 in MQTT 3.1.1.
    package var sessionsMax = 250_000
    /// Bytes of topics, payloads and properties of all wills that clients have left or that wait for their delay, an equal share on each
    /// event loop; a CONNECT with one more is refused as for ``sessionsMax``.
    package var willBytesInAllMax = 67_108_864
    /// QoS 1 and 2 messages sent to one client and not acknowledged; further ones wait in its queue.
    package var inflightMax = 64
    /// Bytes of QoS 1 and 2 messages sent to one client and not acknowledged; at the limit further ones wait in its queue.
    ///
    /// One message is sent whatever its size. In ``queueBytesInAllMax`` they count like those that wait.
    package var inflightBytesMax = 16_777_216
    /// QoS 2 messages of one client that wait for its PUBREL, also while it is away; one more closes the connection.
    ///
    /// MQTT 3.1.1 cannot tell the client a limit, so the default is far beyond what clients have under way.
    package var awaitingPubrelMax = 10_000
    /// QoS 2 messages of all clients that wait for PUBREL, an equal share on each event loop; the connection that would add more is closed.
    ///
    /// The first ``awaitingPubrelAlways`` of each session are not counted.
    package var awaitingPubrelInAllMax = 1_000_000
    /// QoS 2 messages of one MQTT 5 client that wait for its PUBREL; the client is told, and one more closes the connection with 0x93.
    ///
    /// QoS 1 messages are done with as they come, so none is counted: with a store their answers may wait for the disk, and a client with
    /// 4,096 that do is not read.
    package var receiveMaximum = 64
    /// Topic aliases that a client may give; it is told, and a greater one closes the connection with 0x94.
    package var topicAliasesMax = 32
    /// Topic aliases that the broker gives on one connection, as far as the client takes them; further topics are sent by name.
    package var outboundTopicAliasesMax = 32
    /// User properties of one packet; more close the connection with 0x97.
    package var userPropertiesMax = 64
    /// Bytes of all properties of one packet; more close the connection with 0x97.
    package var propertyBytesMax = 16_384
    /// Seconds of a keep alive; a client of MQTT 5 that asks for more, or for none, is told this one.
    ///
    /// MQTT 3.1.1 cannot tell the client, so there the client's stays in force; a peer that is dead is found by TCP.
    package var keepAliveSecondsMax = 1_200
    /// Messages waiting for one session; further ones are dropped and counted as `queue_full`.
    package var queueMessagesMax = 10_000
    /// Bytes of messages waiting for one session; at the limit as for ``queueMessagesMax``.
    package var queueBytesMax = 16_777_216
    /// Bytes waiting for a client's socket; QoS 0 messages beyond are dropped and counted as `outbound_full`, others stay in the queue.
    ///
    /// Twice as many and a packet, which only answers can amount to, close the connection.
    package var outboundBytesMax = 262_144
    /// Bytes waiting in the queues of all sessions, or sent and not acknowledged, each message with ``Shard/deliveryBytes`` more, and the
    /// topics of retained messages that new subscriptions wait for; an equal share on each event loop; at the limit as for
    /// ``queueMessagesMax``.
    package var queueBytesInAllMax = 1_073_741_824
    /// Bytes waiting for all sockets that take nothing now, an equal share on each event loop; QoS 0 messages beyond are dropped and
    /// counted as `outbound_full`.
    package var outboundBytesInAllMax = 268_435_456
    /// Bytes of packets whose end has not come, of all clients that are connected, an equal share on each event loop; a connection that
    /// would add more is closed with 0x97.
    ///
    /// The first ``connectBytesAlways`` of each are not counted.
    package var inboxBytesInAllMax = 268_435_456
    /// Bytes that one event loop has handed to another and that one has not worked off, each message with 64 more and one for each node of
    /// the index that its topic leads to; at the limit publishers to it wait.
    package var handOffBytesMax = 1_048_576
    /// Bytes of messages by calls over HTTP, and by rules, that event loops have no room for, each with 64 more; at the limit further calls
    /// are refused before they do anything.
    package var publishBytesWaitingMax = 67_108_864
    /// Milliseconds that publishers wait for a subscriber at half of its queue or at `outboundBytesMax`; then it counts as slow, and its
    /// listener's `slowConsumer` decides.
    package var backPressureMillisecondsMax = 20
    /// Messages that one client may publish in a second, without a limit unless set; at the limit it is not read until it is even again.
    package var publishesPerSecondMax = Int.max
    /// Bytes of PUBLISH packets that one client may send in a second; at the limit as for ``publishesPerSecondMax``.
    package var publishBytesPerSecondMax = Int.max
    /// Connections that one address may open in a second, after ``connectBurstPerAddressMax`` at once; more are closed when they are accepted,
    /// and counted as `address_rate`.
    ///
    /// An address of IPv6 counts with its /64 network. Connections of this machine are exempt, unless the listener says `limitLoopback`.
    package var connectsPerSecondPerAddressMax = 10
    /// Connections that one address may open at once.
    package var connectBurstPerAddressMax = 50
    /// Times in a second that one client identifier may connect, after ``connectBurstPerClientMax`` at once; more are refused with 0x9F, in
    /// MQTT 3.1.1 by closing the connection, and counted as `connectionRateExceeded`.
    package var connectsPerSecondPerClientMax = 1
    /// Times that one client identifier may connect at once: clients that take it from each other are slowed down to the rate.
    package var connectBurstPerClientMax = 10
    /// Connections that all addresses together may open in a second; more are closed when they are accepted, and counted as `broker_rate`.
    package var connectsPerSecondMax = 2_000
    /// Failures of one address to prove who it is; at the limit it is blocked, and what it opens meanwhile counted as `address_blocked`.
    package var failedAuthenticationsMax = 10
    /// Milliseconds until a client is told that it failed, twice as many for each further failure of its address; at most until the time for
    /// CONNECT is over.
    package var failedAuthenticationDelayMilliseconds = 100
    /// Seconds for which an address is blocked, and after which failures are forgotten.
    package var failedAuthenticationBlockSeconds = 60
    /// Passwords of all clients that wait to be checked, or are being checked; a client with one more is refused with 0x89, 0x03 in MQTT 3.1.1.
    package var passwordChecksWaitingMax = 256
    /// Addresses of which connects and failures are remembered, those seen last; older ones start anew.
    package var addressesTrackedMax = 65_536
    /// Client identifiers of which connects are remembered; as for ``addressesTrackedMax``.
    package var clientIDsTrackedMax = 65_536
    /// Retained messages; a further topic is not retained, and counted as `retained_full`.
    package var retainedMessagesMax = 100_000
    /// Bytes of retained topics and payloads; at the limit as for ``retainedMessagesMax``, and the topic's older message goes, too.
    package var retainedBytesMax = 268_435_456
    /// Levels of all retained topics, which is what the tree of topics takes beside ``retainedBytesMax``, about 200 bytes each; at the limit
    /// as for ``retainedMessagesMax``.
    package var retainedLevelsMax = 500_000
    /// Retained messages that one client, which is an identifier and a principal, published last; at the limit as for ``retainedMessagesMax``, and 0x97 tells a client of MQTT 5.
    package var retainedMessagesPerClientMax = 10_000
    /// Bytes of retained topics and payloads that one client published last; at the limit as for ``retainedMessagesPerClientMax``.
    package var retainedBytesPerClientMax = 67_108_864
    /// Levels of retained topics that one client published last; at the limit as for ``retainedMessagesPerClientMax``.
    package var retainedLevelsPerClientMax = 100_000
    /// Seconds that a session without a connection is kept at the most; then it ends, and its queue is counted as `session_expired`.
    package var sessionExpirySecondsMax = 604_800
    /// Changes of one event loop that wait for the disk; at the limit publishers wait, too.
    package var storeChangesWaitingMax = 100_000
    /// Bytes of their messages, and of the records of rules; at the limit as for ``storeChangesWaitingMax``.
    package var storeBytesWaitingMax = 67_108_864
    /// Recipients of the routes that a shard keeps, each route counted as one more; at the limit all are forgotten, and made anew as
    /// messages come.
    package var routeRecipientsMax = 500_000
    /// Topics of which a shard keeps statistics for operators; further ones are delivered but not listed.
    package var topicsTrackedMax = 20_000
    /// Bytes that a shard keeps of the last payload of each topic that it keeps statistics of; a longer one is cut, and operators are told.
    package var topicSampleBytesMax = 256

    /// Bytes of the largest packet that the protocol has: a fixed header of five bytes and the greatest remaining length.
    package static let packetBytesAlwaysMax = 268_435_460

    /// Bytes of a client identifier that every server must take [MQTT-3.1.3-5].
    package static let clientIDBytesAlways = 23

    /// Bytes of a CONNECT that is not complete for which there is always room.
    package static let connectBytesAlways = 1_024

    /// QoS 2 messages of one session that wait for PUBREL for which there is always room.
    package static let awaitingPubrelAlways = 64

    package init() {}

    /// The values of those that MQTT's packets have two bytes for; the others take any that a configuration may give.
    package static let ranges = Dictionary(
        uniqueKeysWithValues: [
            "topicBytesMax", "clientIDBytesMax", "inflightMax", "receiveMaximum", "topicAliasesMax", "outboundTopicAliasesMax",
            "keepAliveSecondsMax",
        ].map { ($0, 1...Int(UInt16.max)) })

    /// The names under `limits:` in the configuration file, with the value each one sets.
    ///
    /// All count at least 1.
    package static let names: [(name: String, path: any WritableKeyPath<BrokerLimits, Int> & Sendable)] = [
        ("connectionsMax", \.connectionsMax), ("connectSecondsMax", \.connectSecondsMax), ("connectBytesMax", \.connectBytesMax),
        ("connectBytesInAllMax", \.connectBytesInAllMax), ("packetBytesMax", \.packetBytesMax),
        ("topicBytesMax", \.topicBytesMax), ("topicLevelsMax", \.topicLevelsMax), ("clientIDBytesMax", \.clientIDBytesMax),
        ("filtersPerPacketMax", \.filtersPerPacketMax), ("subscriptionsPerClientMax", \.subscriptionsPerClientMax),
        ("filterLevelsPerClientMax", \.filterLevelsPerClientMax),
        ("sharedSubscriptionsPerClientMax", \.sharedSubscriptionsPerClientMax), ("filterLevelsInAllMax", \.filterLevelsInAllMax),
        ("subscriptionsInAllMax", \.subscriptionsInAllMax), ("sessionsMax", \.sessionsMax), ("willBytesInAllMax", \.willBytesInAllMax),
        ("inflightMax", \.inflightMax), ("inflightBytesMax", \.inflightBytesMax), ("awaitingPubrelMax", \.awaitingPubrelMax),
        ("awaitingPubrelInAllMax", \.awaitingPubrelInAllMax), ("receiveMaximum", \.receiveMaximum),
        ("topicAliasesMax", \.topicAliasesMax),
        ("outboundTopicAliasesMax", \.outboundTopicAliasesMax), ("userPropertiesMax", \.userPropertiesMax),
        ("propertyBytesMax", \.propertyBytesMax), ("keepAliveSecondsMax", \.keepAliveSecondsMax), ("queueMessagesMax", \.queueMessagesMax),
        ("queueBytesMax", \.queueBytesMax), ("outboundBytesMax", \.outboundBytesMax),
        ("queueBytesInAllMax", \.queueBytesInAllMax), ("outboundBytesInAllMax", \.outboundBytesInAllMax),
        ("backPressureMillisecondsMax", \.backPressureMillisecondsMax), ("publishesPerSecondMax", \.publishesPerSecondMax),
        ("publishBytesPerSecondMax", \.publishBytesPerSecondMax),
        ("connectsPerSecondPerAddressMax", \.connectsPerSecondPerAddressMax),
        ("connectBurstPerAddressMax", \.connectBurstPerAddressMax),
        ("connectsPerSecondPerClientMax", \.connectsPerSecondPerClientMax), ("connectBurstPerClientMax", \.connectBurstPerClientMax),
        ("connectsPerSecondMax", \.connectsPerSecondMax), ("failedAuthenticationsMax", \.failedAuthenticationsMax),
        ("failedAuthenticationDelayMilliseconds", \.failedAuthenticationDelayMilliseconds),
        ("failedAuthenticationBlockSeconds", \.failedAuthenticationBlockSeconds),
        ("passwordChecksWaitingMax", \.passwordChecksWaitingMax), ("addressesTrackedMax", \.addressesTrackedMax),
        ("clientIDsTrackedMax", \.clientIDsTrackedMax),
        ("inboxBytesInAllMax", \.inboxBytesInAllMax), ("handOffBytesMax", \.handOffBytesMax),
        ("publishBytesWaitingMax", \.publishBytesWaitingMax),
        ("retainedMessagesMax", \.retainedMessagesMax), ("retainedBytesMax", \.retainedBytesMax),
        ("retainedLevelsMax", \.retainedLevelsMax),
        ("retainedMessagesPerClientMax", \.retainedMessagesPerClientMax),
        ("retainedLevelsPerClientMax", \.retainedLevelsPerClientMax),
        ("retainedBytesPerClientMax", \.retainedBytesPerClientMax),
        ("sessionExpirySecondsMax", \.sessionExpirySecondsMax), ("storeChangesWaitingMax", \.storeChangesWaitingMax),
        ("storeBytesWaitingMax", \.storeBytesWaitingMax),
        ("routeRecipientsMax", \.routeRecipientsMax),
        ("topicsTrackedMax", \.topicsTrackedMax), ("topicSampleBytesMax", \.topicSampleBytesMax),
    ]
}
