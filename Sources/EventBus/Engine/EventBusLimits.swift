/// Every limit of the event bus: its name in the configuration, its default, and what happens at it.
package struct EventBusLimits: Sendable, Equatable {
    /// Rules that one message may pass through, each counting one; the output of a further one is cut, counted and logged.
    package var ruleHopsMax = 8
    /// Times that rules may put one event on further buses, over all its ways; a further one is cut, counted and logged.
    package var busForwardsMax = 100
    /// Bytes of all entries of one PutEvents request, as the service counts them; a larger request is refused as a whole.
    package var putEventsBytesMax = 1_048_576
    /// Failed deliveries that are kept; the oldest is dropped and counted.
    package var deadLettersMax = 1_000
    /// Bytes of the events of failed deliveries that are kept; at the limit as for ``deadLettersMax``.
    package var deadLetterBytesMax = 16_777_216
    /// Seconds between two log lines about the same rule; those in between are counted in the next one.
    package var ruleLogSecondsMin = 10
    /// Characters of a payload in the log line of a rule's cloudwatchLogs action; the rest is cut and marked by `…`.
    package var ruleLogCharactersMax = 4_096
    /// Buses, those of the templates and `default` among them; a further CreateEventBus is refused.
    package var busesMax = 100
    /// Rules of one bus, those of the templates among them; a further PutRule is refused.
    package var rulesPerBusMax = 300
    /// Targets of one rule that came by API; PutTargets beyond it is refused.
    package var targetsPerRuleMax = 5
    /// Targets of one call of PutTargets or RemoveTargets; a longer one is refused.
    package var targetsPerCallMax = 10
    /// Topic rules, those of the templates among them; a further CreateTopicRule is refused.
    package var topicRulesMax = 1_000
    /// Connections, those of the templates among them; a further CreateConnection is refused.
    package var eventConnectionsMax = 3_000
    /// API destinations, those of the templates among them; a further CreateApiDestination is refused.
    package var apiDestinationsMax = 3_000
    /// Characters of the policy of a bus; PutPermission beyond it is refused.
    package var busPolicyCharactersMax = 10_240
    /// Tags of one bus or rule that came by API; more are refused.
    package var tagsMax = 50

    /// Archives of all buses; the creation of a further one is refused.
    package var archivesMax = 100
    /// Bytes of the events of all archives, with 128 for each; beyond it the oldest events of the largest archive are dropped and counted.
    package var archiveBytesMax = 67_108_864
    /// Replays that are under way at once; a further one is refused.
    package var replaysRunningMax = 10
    /// Deliveries that may come to wait while replays run; at more, replays wait.
    package var replayPendingMax = 500
    /// Replays that are known, with those that are over; the oldest of these is forgotten.
    package var replaysKeptMax = 100

    package init() {}

    /// The names under `limits:` in the configuration file, with the value each one sets.
    package static let names: [(name: String, path: any WritableKeyPath<EventBusLimits, Int> & Sendable)] = [
        ("ruleHopsMax", \.ruleHopsMax), ("busForwardsMax", \.busForwardsMax),
        ("putEventsBytesMax", \.putEventsBytesMax), ("deadLettersMax", \.deadLettersMax),
        ("deadLetterBytesMax", \.deadLetterBytesMax), ("ruleLogSecondsMin", \.ruleLogSecondsMin),
        ("ruleLogCharactersMax", \.ruleLogCharactersMax), ("archivesMax", \.archivesMax),
        ("archiveBytesMax", \.archiveBytesMax), ("replaysRunningMax", \.replaysRunningMax),
        ("replaysKeptMax", \.replaysKeptMax), ("replayPendingMax", \.replayPendingMax),
        ("busesMax", \.busesMax), ("rulesPerBusMax", \.rulesPerBusMax),
        ("targetsPerRuleMax", \.targetsPerRuleMax), ("targetsPerCallMax", \.targetsPerCallMax), ("topicRulesMax", \.topicRulesMax),
        ("eventConnectionsMax", \.eventConnectionsMax), ("apiDestinationsMax", \.apiDestinationsMax),
        ("busPolicyCharactersMax", \.busPolicyCharactersMax), ("tagsMax", \.tagsMax),
    ]
}
