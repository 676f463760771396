import Documents
import EventBus
import HTTPExchange
import HTTPListening
import Hummingbird
import NIOCore
import Rules
import Things
import Trust

/// AWS IoT's API for things, certificates and policies, in the REST form of the AWS protocols.
struct ThingsService: Sendable {
    /// Rows of one page, and the default.
    private static let pageMax = 250

    let registry: ThingRegistry
    let limits: GatewayLimits
    /// Tells the broker that somebody may do more or less; returns when whoever lost a right is closed.
    let rightsChanged: @Sendable () async -> Void

    /// A call that was let in, and what it says.
    struct Request {
        let call: ThingsCall
        let query: QueryParameters
        let body: [UInt8]
        /// The principal that is named in the header of its own.
        let principal: String?

        /// The name that stands in the path.
        var name: String { call.names.first ?? "" }

        func members(_ known: String...) throws(ServiceError) -> RequestMembers {
            try RequestMembers(parsing: body, of: call.operation.rawValue, known: known)
        }

        /// Refuses parameters of the query that are not acted on.
        func check(_ known: String...) throws(ServiceError) {
            guard let other = query.values.keys.sorted().first(where: { !known.contains($0) }) else { return }
            throw ThingsService.invalid("\(other) is not supported by Crema in \(call.operation.rawValue).")
        }

        func flag(_ name: String) throws(ServiceError) -> Bool? {
            guard let text = query[name] else { return nil }
            guard let flag = Bool(text) else { throw ThingsService.invalid("\(name) must be true or false.") }
            return flag
        }
    }

    /// Carries out a call; a change is in force when this returns, and whoever lost a right by it is closed.
    ///
    /// - Returns: the body of the answer, whose status is 200; empty where there is nothing to say.
    func answer(
        _ call: ThingsCall, _ request: Hummingbird.Request, query: Substring?, by unfinished: CallerCheck.Unfinished
    ) async throws(ServiceError) -> [UInt8] {
        let (body, caller) = try await unfinished.finish(
            request, bodyBytesMax: limits.httpBodyBytesMax, seconds: limits.httpBodySecondsMax)
        let asked = Request(
            call: call, query: QueryParameters(query), body: Array(body.readableBytesView), principal: request.headers[.amazonPrincipal])
        // Texts may be equal whose bytes are not: rights are asked by bytes, and things are found by texts.
        guard call.names.allSatisfy({ $0.utf8.allSatisfy { $0 < 0x80 } }) else {
            throw Self.invalid("Names have letters, digits and signs of ASCII only.")
        }
        if !caller.mayEverything {
            for resource in Self.resources(of: asked) { try caller.require(call.operation.action, on: resource) }
            // Who takes a certificate's holder its rights, or gives them back, has to be allowed just that, whatever the call.
            if Self.changesStatus(asked) {
                try caller.require(ThingsCall.Operation.updateCertificate.action, on: Self.statusResource(asked))
            }
        }
        do throws(ServiceError) { return try await carryOut(asked)?.json ?? [] } catch {
            // The shared readers of members speak of other services.
            let isOfMembers = [ServiceError.Code.validation.rawValue, ServiceError.Code.serialization.rawValue].contains(error.code)
            throw isOfMembers ? Self.invalid(error.message) : error
        }
    }

    /// The ARNs of what a call is about; a list is asked for under `*`.
    private static func resources(of request: Request) -> [String] {
        switch request.call.operation {
        case .createThing, .describeThing, .updateThing, .deleteThing, .attachThingPrincipal, .detachThingPrincipal, .listThingPrincipals,
            .listThingPrincipalsV2, .listThingGroupsForThing:
            [arn("thing", request.name)]
        case .listThings: [arn("thing", "*")]
        case .createThingType, .describeThingType, .deprecateThingType, .deleteThingType: [arn("thingtype", request.name)]
        case .listThingTypes: [arn("thingtype", "*")]
        case .createThingGroup, .describeThingGroup, .updateThingGroup, .deleteThingGroup, .listThingsInThingGroup:
            [arn("thinggroup", request.name)]
        case .listThingGroups: [arn("thinggroup", "*")]
        case .addThingToThingGroup, .removeThingFromThingGroup: moved(by: CallMembers(request.body))
        case .createPolicy, .getPolicy, .deletePolicy, .createPolicyVersion, .getPolicyVersion, .setDefaultPolicyVersion,
            .deletePolicyVersion, .listPolicyVersions, .listTargetsForPolicy:
            [arn("policy", request.name)]
        case .listPolicies: [arn("policy", "*")]
        case .attachPolicy, .detachPolicy:
            [arn("policy", request.name), targetARN(in: CallMembers(request.body).text("target"))]
        case .describeCertificate, .updateCertificate, .deleteCertificate: [arn("cert", certificateID(request.name))]
        case .listCertificates: [arn("cert", "*")]
        case .listPrincipalThings: [certificateARN(in: request.principal ?? "")]
        case .listAttachedPolicies: [targetARN(in: request.name)]
        case .registerCertificate, .createKeysAndCertificate, .updateThingGroupsForThing: [CallResource.arn("iot", "*")]
        }
    }

    /// Whether a call says of a certificate what UpdateCertificate would.
    ///
    /// One that is not registered may do what the templates say, so to register it as anything but ACTIVE takes that away, and to delete it
    /// gives it back.
    private static func changesStatus(_ request: Request) -> Bool {
        switch request.call.operation {
        case .registerCertificate: CallMembers(request.body).text("status") != RegisteredCertificate.Status.active.rawValue
        case .deleteCertificate: true
        default: false
        }
    }

    private static func statusResource(_ request: Request) -> String {
        arn("cert", request.call.operation == .registerCertificate ? "*" : certificateID(request.name))
    }

    private static func targetARN(in text: String) -> String { (try? PolicyTarget(text))?.arn ?? arn("cert", "") }

    /// The thing and the group that a call names, by name or by ARN; one that is named twice counts twice.
    private static func moved(by members: CallMembers) -> [String] {
        [("thing", "thingName", "thingArn"), ("thinggroup", "thingGroupName", "thingGroupArn")].flatMap { kind, name, inARN in
            let names = [members[name], members[inARN].flatMap { try? resourceName(in: $0, kind) }].compactMap(\.self)
            return (names.isEmpty ? [""] : names).map { arn(kind, $0) }
        }
    }

    private static func certificateARN(in text: String) -> String { arn("cert", (try? certificateID(inARN: text)) ?? "") }

    private func carryOut(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        switch request.call.operation {
        case .createThing: try await createThing(request)
        case .describeThing: try describeThing(request)
        case .updateThing: try await updateThing(request)
        case .deleteThing: try await deleteThing(request)
        case .listThings: try listThings(request)
        case .attachThingPrincipal: try await attachThingPrincipal(request)
        case .detachThingPrincipal: try await detachThingPrincipal(request)
        case .listThingPrincipals: try listThingPrincipals(request)
        case .listThingPrincipalsV2: try listThingPrincipalsV2(request)
        case .listPrincipalThings: try listPrincipalThings(request)
        case .registerCertificate: try await registerCertificate(request)
        case .describeCertificate: try describeCertificate(request)
        case .updateCertificate: try await updateCertificate(request)
        case .deleteCertificate: try await deleteCertificate(request)
        case .listCertificates: try listCertificates(request)
        case .createPolicy: try await createPolicy(request)
        case .getPolicy: try getPolicy(request)
        case .deletePolicy: try await deletePolicy(request)
        case .listPolicies: try listPolicies(request)
        case .createPolicyVersion: try await createPolicyVersion(request)
        case .getPolicyVersion: try getPolicyVersion(request)
        case .setDefaultPolicyVersion: try await setDefaultPolicyVersion(request)
        case .deletePolicyVersion: try await deletePolicyVersion(request)
        case .listPolicyVersions: try listPolicyVersions(request)
        case .attachPolicy: try await attachPolicy(request)
        case .detachPolicy: try await detachPolicy(request)
        case .listAttachedPolicies: try listAttachedPolicies(request)
        case .listTargetsForPolicy: try listTargetsForPolicy(request)
        case .createThingType: try await createThingType(request)
        case .describeThingType: try describeThingType(request)
        case .deprecateThingType: try await deprecateThingType(request)
        case .deleteThingType: try await deleteThingType(request)
        case .listThingTypes: try listThingTypes(request)
        case .createThingGroup: try await createThingGroup(request)
        case .describeThingGroup: try describeThingGroup(request)
        case .updateThingGroup: try await updateThingGroup(request)
        case .deleteThingGroup: try await deleteThingGroup(request)
        case .listThingGroups: try listThingGroups(request)
        case .addThingToThingGroup: try await addThingToThingGroup(request)
        case .removeThingFromThingGroup: try await removeThingFromThingGroup(request)
        case .listThingsInThingGroup: try listThingsInThingGroup(request)
        case .listThingGroupsForThing: try listThingGroupsForThing(request)
        case .updateThingGroupsForThing:
            throw ServiceError(
                .unknownOperation,
                "The operation UpdateThingGroupsForThing is not supported by Crema: AddThingToThingGroup and RemoveThingFromThingGroup are."
            )
        case .createKeysAndCertificate:
            throw ServiceError(
                .unknownOperation,
                "The operation CreateKeysAndCertificate is not supported by Crema, which hands out no keys: `crema certs issue` makes a "
                    + "certificate, and RegisterCertificateWithoutCA registers it.")
        }
    }

    // MARK: - Asking and changing

    func look<Value: Sendable>(_ question: (borrowing ThingTable) throws(ControlError) -> Value) throws(ServiceError) -> Value {
        do throws(ControlError) { return try registry.look(question) } catch { throw Self.refusal(error) }
    }

    @discardableResult
    func change<Value: Sendable>(
        _ body: (inout ThingTable, _ isEnforced: Bool) throws(ControlError) -> Value
    ) async throws(ServiceError) -> Value {
        do throws(ControlError) {
            let (value, hasChangedRights) = try registry.change(body)
            if hasChangedRights { await rightsChanged() }
            try await registry.kept()
            return value
        } catch { throw Self.refusal(error) }
    }

    private static func refusal(_ error: ControlError) -> ServiceError {
        ServiceError(error, status: TopicRulesService.status(of: error.code))
    }

    static func invalid(_ message: String) -> ServiceError { ServiceError(ControlError(.invalidRequest, message)) }

    // MARK: - Names

    static func arn(_ kind: String, _ name: String) -> String { CallResource.arn("iot", "\(kind)/\(name)") }

    /// Refuses a name that is none.
    static func check(_ name: String, _ constraint: MemberConstraint, at member: String) throws(ServiceError) {
        guard let refusal = constraint.refusal(of: name) else { return }
        throw invalid(MemberConstraint.message(name, at: member, refusal))
    }

    /// An identifier as it is kept: in lower case, without `0x`.
    static func certificateID(_ text: String) -> String { String(text.hasPrefix("0x") ? text.dropFirst(2) : text[...]).lowercased() }

    /// The identifier in the ARN of a certificate.
    static func certificateID(inARN text: String) throws(ServiceError) -> String {
        do throws(ServiceError) { return certificateID(try resourceName(in: text, "cert")) } catch {
            throw invalid("'\(text.prefix(256))' is not the ARN of a certificate or of a group of things; Crema attaches to nothing else.")
        }
    }

    /// The name in the ARN of a resource of a kind.
    static func resourceName(in text: String, _ kind: String) throws(ServiceError) -> String {
        let fields = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard fields.count == 6, fields[0] == "arn", fields[2] == "iot", fields[5].hasPrefix("\(kind)/"),
            fields[5].utf8.allSatisfy({ $0 < 0x80 })
        else { throw invalid("'\(text.prefix(256))' is not the ARN of a \(kind).") }
        return String(fields[5].dropFirst(kind.utf8.count + 1))
    }

    // MARK: - Pages

    /// One page of rows, each with a key that orders them.
    ///
    /// - Parameters:
    ///   - rows: in the order of their keys, or against it.
    ///   - request: says how many there are to be, and where they begin.
    ///   - names: of the parameters for that, and of the members of the answer.
    ///   - isDescending: whether the rows stand against the order of their keys.
    /// - Returns: the rows under their name, with where the next page begins.
    /// - Throws: for a size that no page has, and a token of another listing.
    static func page(
        _ rows: [(key: String, row: AnswerDocument)], _ request: Request, names: PageNames, isDescending: Bool = false
    ) throws(ServiceError) -> AnswerDocument {
        let most = request.query[names.size].map { Int($0) } ?? pageMax
        guard let most, (1...pageMax).contains(most) else { throw invalid("\(names.size) must be between 1 and \(pageMax).") }
        let chosen = request.query.values.filter { $0.key != names.size && $0.key != names.token }.sorted { $0.key < $1.key }
        let token = ListingToken(
            listing: [request.call.operation.rawValue] + request.call.names + [request.principal ?? ""]
                + chosen.flatMap { [$0.key, $0.value] })
        var rest = rows[...]
        if let text = request.query[names.token] {
            guard let first = token.name(in: text) else { throw invalid("Invalid \(names.token)") }
            rest = rows.drop { isDescending ? $0.key > first : $0.key < first }
        }
        return .map(
            [
                names.rows: .list(rest.prefix(most).map(\.row))
            ].merging(rest.dropFirst(most).first.map { [names.next: .text(token.text(at: $0.key))] } ?? [:]) { $1 })
    }

    /// How a listing calls its parameters and members.
    struct PageNames {
        let rows: String
        var size = "maxResults"
        var token = "nextToken"
        var next = "nextToken"

        static func marked(_ rows: String) -> PageNames { PageNames(rows: rows, size: "pageSize", token: "marker", next: "nextMarker") }
    }
}
