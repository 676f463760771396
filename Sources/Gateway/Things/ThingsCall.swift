import Hummingbird

/// A call of AWS IoT's API for things, certificates and policies: its operation by method and path, and the names in that.
struct ThingsCall: Equatable {
    enum Operation: String {
        case createThing = "CreateThing"
        case describeThing = "DescribeThing"
        case updateThing = "UpdateThing"
        case deleteThing = "DeleteThing"
        case listThings = "ListThings"
        case attachThingPrincipal = "AttachThingPrincipal"
        case detachThingPrincipal = "DetachThingPrincipal"
        case listThingPrincipals = "ListThingPrincipals"
        /// With what kind of relation each is in.
        case listThingPrincipalsV2 = "ListThingPrincipalsV2"
        case listPrincipalThings = "ListPrincipalThings"
        case registerCertificate = "RegisterCertificateWithoutCA"
        case describeCertificate = "DescribeCertificate"
        case updateCertificate = "UpdateCertificate"
        case deleteCertificate = "DeleteCertificate"
        case listCertificates = "ListCertificates"
        case createPolicy = "CreatePolicy"
        case getPolicy = "GetPolicy"
        case deletePolicy = "DeletePolicy"
        case listPolicies = "ListPolicies"
        case createPolicyVersion = "CreatePolicyVersion"
        case getPolicyVersion = "GetPolicyVersion"
        case setDefaultPolicyVersion = "SetDefaultPolicyVersion"
        case deletePolicyVersion = "DeletePolicyVersion"
        case listPolicyVersions = "ListPolicyVersions"
        case attachPolicy = "AttachPolicy"
        case detachPolicy = "DetachPolicy"
        case listAttachedPolicies = "ListAttachedPolicies"
        case listTargetsForPolicy = "ListTargetsForPolicy"
        case createThingType = "CreateThingType"
        case describeThingType = "DescribeThingType"
        case deprecateThingType = "DeprecateThingType"
        case deleteThingType = "DeleteThingType"
        case listThingTypes = "ListThingTypes"
        case createThingGroup = "CreateThingGroup"
        case describeThingGroup = "DescribeThingGroup"
        case updateThingGroup = "UpdateThingGroup"
        case deleteThingGroup = "DeleteThingGroup"
        case listThingGroups = "ListThingGroups"
        case addThingToThingGroup = "AddThingToThingGroup"
        case removeThingFromThingGroup = "RemoveThingFromThingGroup"
        case updateThingGroupsForThing = "UpdateThingGroupsForThing"
        case listThingsInThingGroup = "ListThingsInThingGroup"
        case listThingGroupsForThing = "ListThingGroupsForThing"
        /// Refused by its name: it would make a key.
        case createKeysAndCertificate = "CreateKeysAndCertificate"
    }

    let operation: Operation
    /// What stands where the pattern of the path has a star.
    let names: [String]

    /// A star is one level, two stars are the rest: an ARN has a slash in it, which not everybody encodes.
    private static let rows: [(method: HTTPRequest.Method, path: String, operation: Operation)] = [
        (.post, "things/*", .createThing), (.get, "things/*", .describeThing), (.patch, "things/*", .updateThing),
        (.delete, "things/*", .deleteThing), (.get, "things", .listThings), (.put, "things/*/principals", .attachThingPrincipal),
        (.delete, "things/*/principals", .detachThingPrincipal), (.get, "things/*/principals", .listThingPrincipals),
        (.get, "things/*/principals-v2", .listThingPrincipalsV2),
        (.get, "principals/things", .listPrincipalThings), (.post, "certificate/register-no-ca", .registerCertificate),
        (.get, "certificates/*", .describeCertificate), (.put, "certificates/*", .updateCertificate),
        (.delete, "certificates/*", .deleteCertificate), (.get, "certificates", .listCertificates), (.post, "policies/*", .createPolicy),
        (.get, "policies/*", .getPolicy), (.delete, "policies/*", .deletePolicy), (.get, "policies", .listPolicies),
        (.post, "policies/*/version", .createPolicyVersion), (.get, "policies/*/version", .listPolicyVersions),
        (.get, "policies/*/version/*", .getPolicyVersion), (.patch, "policies/*/version/*", .setDefaultPolicyVersion),
        (.delete, "policies/*/version/*", .deletePolicyVersion), (.put, "target-policies/*", .attachPolicy),
        (.post, "target-policies/*", .detachPolicy), (.post, "attached-policies/**", .listAttachedPolicies),
        (.post, "policy-targets/*", .listTargetsForPolicy), (.post, "keys-and-certificate", .createKeysAndCertificate),
        (.post, "thing-types/*", .createThingType), (.get, "thing-types/*", .describeThingType), (.get, "thing-types", .listThingTypes),
        (.post, "thing-types/*/deprecate", .deprecateThingType), (.delete, "thing-types/*", .deleteThingType),
        (.put, "thing-groups/addThingToThingGroup", .addThingToThingGroup),
        (.put, "thing-groups/removeThingFromThingGroup", .removeThingFromThingGroup),
        (.put, "thing-groups/updateThingGroupsForThing", .updateThingGroupsForThing), (.post, "thing-groups/*", .createThingGroup),
        (.get, "thing-groups/*", .describeThingGroup), (.patch, "thing-groups/*", .updateThingGroup),
        (.delete, "thing-groups/*", .deleteThingGroup), (.get, "thing-groups", .listThingGroups),
        (.get, "thing-groups/*/things", .listThingsInThingGroup), (.get, "things/*/thing-groups", .listThingGroupsForThing),
    ]

    /// Nil for a path or a method of no operation.
    init?(_ method: HTTPRequest.Method, path: some StringProtocol) {
        var levels: [String] = []
        for level in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let level = PercentEncoding.decode(level, plusIsSpace: false) else { return nil }
            levels.append(level)
        }
        for row in Self.rows where row.method == method {
            guard let names = Self.names(in: levels, as: row.path) else { continue }
            (operation, self.names) = (row.operation, names)
            return
        }
        return nil
    }

    private static func names(in levels: [String], as pattern: String) -> [String]? {
        let wanted = pattern.split(separator: "/")
        var names: [String] = []
        for (place, part) in wanted.enumerated() {
            guard place < levels.count else { return nil }
            switch part {
            case "**": return names + [levels[place...].joined(separator: "/")]
            case "*": names.append(levels[place])
            default: guard levels[place] == part else { return nil }
            }
        }
        return levels.count == wanted.count ? names : nil
    }

}

extension ThingsCall.Operation {
    /// What policies call it: the two listings of principals need one right.
    var action: String { "iot:\(self == .listThingPrincipalsV2 ? Self.listThingPrincipals.rawValue : rawValue)" }
}
