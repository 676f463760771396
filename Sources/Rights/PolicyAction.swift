/// What a client of MQTT or a caller over HTTP asks for, by the names of AWS's policies.
///
/// A number into ``PolicyAction/table``, since it is looked up for every delivery.
package struct PolicyAction: Sendable, Hashable {
    private let number: UInt8

    private init(_ name: String) {
        guard let found = Self.table.firstIndex(where: { $0.name == name }) else { preconditionFailure("\(name) is no action") }
        number = UInt8(found)
    }

    private init(number: Int) { self.number = UInt8(number) }

    /// To connect with a client identifier.
    package static let connect = PolicyAction("iot:Connect")
    /// To publish on a topic, by a PUBLISH or by the will.
    package static let publish = PolicyAction("iot:Publish")
    /// To have a message retained on a topic; beside ``publish``.
    package static let retainPublish = PolicyAction("iot:RetainPublish")
    /// To subscribe to a topic filter.
    package static let subscribe = PolicyAction("iot:Subscribe")
    /// To be sent a message of a topic.
    package static let receive = PolicyAction("iot:Receive")

    package static let allCases = table.indices.map { PolicyAction(number: $0) }

    /// The action of a name, whatever the case of its letters, as policies have it.
    package init?(named name: String) {
        guard let found = Self.table.firstIndex(where: { $0.name.lowercased() == name.lowercased() }) else { return nil }
        self.init(number: found)
    }

    private var row: Row { Self.table[Int(number)] }

    /// `iot:Publish`.
    package var rawValue: String { row.name }
    /// `iot`, as it stands in the ARNs of the action's resources.
    package var service: String { row.service }
    /// The kinds of resources that the action is asked for, as they stand in an ARN before the name; empty where a name stands alone.
    package var resourceKinds: [String] { row.kinds }
    /// The one kind of what a client of MQTT asks for, and the first of others.
    package var resourceKind: String { row.kinds.first ?? "" }
    /// Whether a client of MQTT asks for it.
    package var isOfMQTT: Bool { number < Self.ofMQTTCount }

    private struct Row: Sendable {
        let service: String
        let name: String
        let kinds: [String]
    }

    private static let ofMQTTCount = 5

    private static let table: [Row] =
        rows("iot", ["client"], "Connect") + rows("iot", ["topic"], "Publish RetainPublish")
        + rows("iot", ["topicfilter"], "Subscribe") + rows("iot", ["topic"], "Receive")
        + rows("iot", ["topic"], "GetRetainedMessage ListRetainedMessages") + rows("iot", [], "DescribeEndpoint")
        + rows(
            "iot", ["rule"],
            "CreateTopicRule ReplaceTopicRule GetTopicRule DeleteTopicRule ListTopicRules EnableTopicRule DisableTopicRule TagResource "
                + "UntagResource ListTagsForResource")
        + rows(
            "iot", ["thing"],
            "CreateThing DescribeThing UpdateThing DeleteThing ListThings AttachThingPrincipal DetachThingPrincipal ListThingPrincipals "
                + "ListThingGroupsForThing")
        + rows("iot", ["thingtype"], "CreateThingType DescribeThingType DeprecateThingType DeleteThingType ListThingTypes")
        + rows(
            "iot", ["thinggroup"],
            "CreateThingGroup DescribeThingGroup UpdateThingGroup DeleteThingGroup ListThingGroups ListThingsInThingGroup")
        + rows("iot", ["thing", "thinggroup"], "AddThingToThingGroup RemoveThingFromThingGroup UpdateThingGroupsForThing")
        + rows(
            "iot", ["cert"],
            "DescribeCertificate UpdateCertificate DeleteCertificate ListCertificates ListPrincipalThings")
        + rows("iot", ["cert", "thinggroup"], "ListAttachedPolicies")
        + rows(
            "iot", ["policy"],
            "CreatePolicy GetPolicy DeletePolicy ListPolicies CreatePolicyVersion GetPolicyVersion SetDefaultPolicyVersion "
                + "DeletePolicyVersion ListPolicyVersions ListTargetsForPolicy")
        + rows("iot", ["policy", "cert", "thinggroup"], "AttachPolicy DetachPolicy")
        + rows("iot", [], "RegisterCertificateWithoutCA CreateKeysAndCertificate")
        + rows(
            "events", ["event-bus"],
            "PutEvents CreateEventBus DeleteEventBus DescribeEventBus ListEventBuses UpdateEventBus PutPermission RemovePermission")
        + rows(
            "events", ["rule"],
            "PutRule DeleteRule DescribeRule ListRules EnableRule DisableRule ListRuleNamesByTarget PutTargets RemoveTargets "
                + "ListTargetsByRule TestEventPattern")
        + rows("events", ["rule", "event-bus"], "TagResource UntagResource ListTagsForResource")
        + rows("events", ["archive", "event-bus"], "CreateArchive")
        + rows("events", ["archive"], "UpdateArchive DeleteArchive DescribeArchive ListArchives")
        + rows("events", ["replay", "archive"], "StartReplay") + rows("events", ["replay"], "CancelReplay DescribeReplay ListReplays")
        + rows(
            "events", ["connection"],
            "CreateConnection UpdateConnection DeauthorizeConnection DeleteConnection DescribeConnection ListConnections")
        + rows(
            "events", ["api-destination"],
            "CreateApiDestination UpdateApiDestination DeleteApiDestination DescribeApiDestination ListApiDestinations")
        + rows(
            "sqs", [],
            "SendMessage ReceiveMessage DeleteMessage ChangeMessageVisibility CreateQueue DeleteQueue PurgeQueue GetQueueUrl "
                + "GetQueueAttributes SetQueueAttributes ListQueues ListQueueTags TagQueue UntagQueue ListDeadLetterSourceQueues "
                + "AddPermission RemovePermission StartMessageMoveTask ListMessageMoveTasks CancelMessageMoveTask")
        + rows("execute-api", [], "Invoke")

    private static func rows(_ service: String, _ kinds: [String], _ names: String) -> [Row] {
        names.split(separator: " ").map { Row(service: service, name: "\(service):\($0)", kinds: kinds) }
    }

    /// Actions of calls that Crema does not serve, which policies name beside the others.
    ///
    /// Nobody is asked for them here.
    static let ofOtherCalls = [
        "iot:DeleteThingShadow", "iot:GetThingShadow", "iot:ListNamedShadowsForThing", "iot:UpdateThingShadow",
        "iot:AssumeRoleWithCertificate",
    ]

    /// The services that have actions, and the kinds of their resources.
    static let kindsOfServices: [String: [String]] = table.reduce(into: [:]) { kinds, row in
        kinds[row.service] = (kinds[row.service] ?? []) + row.kinds.filter { kinds[row.service]?.contains($0) != true }
    }
}
