/// Every limit of what is registered by AWS IoT's API: its name in the configuration, its default, and what happens at it.
package struct ThingLimits: Sendable, Equatable {
    /// Registered things; a further CreateThing is refused.
    package var thingsMax = 10_000
    /// Attributes of one thing; more are refused.
    package var thingAttributesMax = 50
    /// Bytes of the names and values of one thing's attributes; more are refused.
    package var thingAttributeBytesMax = 8_192
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
        ("registeredCertificatesMax", \.registeredCertificatesMax), ("registeredCertificateBytesMax", \.registeredCertificateBytesMax),
        ("thingPrincipalsMax", \.thingPrincipalsMax),
        ("iotPoliciesMax", \.iotPoliciesMax), ("iotPolicyBytesMax", \.iotPolicyBytesMax),
        ("iotPolicyVersionsMax", \.iotPolicyVersionsMax), ("certificatePoliciesMax", \.certificatePoliciesMax),
    ]
}
