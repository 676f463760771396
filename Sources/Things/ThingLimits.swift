/// Every limit of what is registered by AWS IoT's API: its name in the configuration, its default, and what happens at it.
package struct ThingLimits: Sendable, Equatable {
    /// Registered things; a further CreateThing is refused.
    package var thingsMax = 10_000
    /// Attributes of one thing; more are refused.
    package var thingAttributesMax = 50
    /// Bytes of the names and values of one thing's attributes; more are refused.
    package var thingAttributeBytesMax = 8_192
    /// Types of things; a further CreateThingType is refused.
    package var thingTypesMax = 100
    /// Groups of things; a further CreateThingGroup is refused.
    package var thingGroupsMax = 1_000
    /// Groups on the way from the root to the deepest, with both; a deeper one is refused, as in the service.
    package var thingGroupDepthMax = 7
    /// Groups that are in one directly; a further one is refused, as in the service.
    package var thingGroupChildrenMax = 100
    /// Groups that one thing is in; a further one is refused, as in the service.
    package var thingGroupsOfThingMax = 10
    /// Policies of one group; a further one is refused, as in the service.
    package var thingGroupPoliciesMax = 2
    /// Registered certificates; a further one is refused.
    package var registeredCertificatesMax = 10_000
    /// Bytes of one of them, as DER; a larger one is refused.
    package var registeredCertificateBytesMax = 16_384
    /// Things that one certificate belongs to, and certificates of one thing; a further attachment is refused.
    package var thingPrincipalsMax = 100
    /// Policies that came by API; a further CreatePolicy is refused.
    package var iotPoliciesMax = 500
    /// Bytes of the document of a policy; a longer one is refused, as in the service.
    package var iotPolicyBytesMax = 2_048
    /// Versions of one policy; a further one is refused, as in the service.
    package var iotPolicyVersionsMax = 5
    /// Policies of one certificate; a further one is refused, as in the service.
    package var certificatePoliciesMax = 10

    package init() {}

    /// The names under `limits:` in the configuration file, with the value each one sets.
    package static let names: [(name: String, path: any WritableKeyPath<ThingLimits, Int> & Sendable)] = [
        ("thingsMax", \.thingsMax), ("thingAttributesMax", \.thingAttributesMax), ("thingAttributeBytesMax", \.thingAttributeBytesMax),
        ("thingTypesMax", \.thingTypesMax), ("thingGroupsMax", \.thingGroupsMax), ("thingGroupDepthMax", \.thingGroupDepthMax),
        ("thingGroupChildrenMax", \.thingGroupChildrenMax), ("thingGroupsOfThingMax", \.thingGroupsOfThingMax),
        ("thingGroupPoliciesMax", \.thingGroupPoliciesMax),
        ("registeredCertificatesMax", \.registeredCertificatesMax), ("registeredCertificateBytesMax", \.registeredCertificateBytesMax),
        ("thingPrincipalsMax", \.thingPrincipalsMax),
        ("iotPoliciesMax", \.iotPoliciesMax), ("iotPolicyBytesMax", \.iotPolicyBytesMax),
        ("iotPolicyVersionsMax", \.iotPolicyVersionsMax), ("certificatePoliciesMax", \.certificatePoliciesMax),
    ]
}
