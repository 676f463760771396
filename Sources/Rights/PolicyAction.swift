/// What a client asks the broker for, by the names of AWS IoT Core's policies.
package enum PolicyAction: String, Sendable, CaseIterable {
    /// To connect with a client identifier.
    case connect = "iot:Connect"
    /// To publish on a topic, by a PUBLISH or by the will.
    case publish = "iot:Publish"
    /// To have a message retained on a topic; beside ``publish``.
    case retainPublish = "iot:RetainPublish"
    /// To subscribe to a topic filter.
    case subscribe = "iot:Subscribe"
    /// To be sent a message of a topic.
    case receive = "iot:Receive"

    /// The kind of resource that the action is asked for, as it stands in an ARN before the name.
    package var resourceKind: String {
        switch self {
        case .connect: "client"
        case .publish, .retainPublish, .receive: "topic"
        case .subscribe: "topicfilter"
        }
    }

    /// Actions of IoT Core's HTTP calls, which policies name beside the others.
    ///
    /// Nobody is asked for them here.
    static let ofOtherCalls = [
        "iot:DeleteThingShadow", "iot:GetRetainedMessage", "iot:GetThingShadow", "iot:ListNamedShadowsForThing",
        "iot:ListRetainedMessages", "iot:UpdateThingShadow", "iot:AssumeRoleWithCertificate",
    ]
}
