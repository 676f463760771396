import Documents
import EventBus
import HTTPTypes
import Rights
import Rules
import Things

/// The operations on policies, their versions, and the certificates that they are attached to.
extension ThingsService {
    private static func document(_ request: Request) throws(ServiceError) -> String {
        guard let text = try request.members("policyDocument").text("policyDocument") else {
            throw invalid("policyDocument is missing.")
        }
        return text
    }

    func createPolicy(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try Self.check(request.name, .policyName, at: "policyName")
        try request.check()
        let (name, text, now) = (request.name, try Self.document(request), registry.now)
        let origin = registry.origin("CreatePolicy")
        try await change { (table, isEnforced) throws(ControlError) in
            guard isEnforced else {
                throw ControlError(
                    .invalidRequest,
                    "No rights are asked for here: the first policy would take away everybody's. Declare one, or write `policies: []` in the "
                        + "configuration, so that nobody may do anything without a policy, and then add policies by API.")
            }
            try table.createPolicy(name, text, at: origin, now: now)
        }
        return .object([
            "policyName": .text(name), "policyArn": .text(Self.arn("policy", name)), "policyDocument": .text(text),
            "policyVersionId": .text("1"),
        ])
    }

    /// A version as calls know it; a template's policy has one.
    private struct Version: Sendable {
        let number: Int
        let text: String
        let isDefault: Bool
        let createdMilliseconds: Int64?
    }

    private struct Found: Sendable {
        let versions: [Version]
        let createdMilliseconds: Int64?
        let modifiedMilliseconds: Int64?
    }

    private func found(_ name: String) throws(ServiceError) -> Found {
        try look { (table) throws(ControlError) in
            switch try table.required(policy: name) {
            case .registered(let policy):
                let versions = policy.versions.map {
                    Version(
                        number: $0.number, text: $0.text, isDefault: $0.number == policy.defaultNumber,
                        createdMilliseconds: $0.createdMilliseconds)
                }
                return Found(
                    versions: versions, createdMilliseconds: policy.createdMilliseconds,
                    modifiedMilliseconds: policy.modifiedMilliseconds)
            case .ofTemplate(let policy):
                let text = (try? policy.document.json(name)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
                let version = Version(number: 1, text: text, isDefault: true, createdMilliseconds: nil)
                return Found(versions: [version], createdMilliseconds: nil, modifiedMilliseconds: nil)
            }
        }
    }

    func getPolicy(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let policy = try found(request.name)
        let version = policy.versions.first(where: \.isDefault)
        return .object([
            "policyName": .text(request.name), "policyArn": .text(Self.arn("policy", request.name)),
            "policyDocument": version.map { .text($0.text) }, "defaultVersionId": version.map { .text("\($0.number)") },
            "creationDate": policy.createdMilliseconds.map { .seconds(milliseconds: $0) },
            "lastModifiedDate": policy.modifiedMilliseconds.map { .seconds(milliseconds: $0) },
        ])
    }

    func deletePolicy(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let name = request.name
        try await change { (table, _) throws(ControlError) in try table.deletePolicy(name) }
        return nil
    }

    func listPolicies(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check("pageSize", "marker", "isAscendingOrder")
        let isDescending = try !(request.flag("isAscendingOrder") ?? false)
        let keys = try look { (table) in
            let names = Set(table.templates.map(\.name))
            return table.templates.map { (Self.key(0, $0.name), $0.name) }
                + table.policies.values.filter { !names.contains($0.name) }.map { (Self.key($0.createdMilliseconds, $0.name), $0.name) }
        }
        let rows = keys.map { (key: $0, row: Self.summary($1)) }.sorted { isDescending ? $0.key > $1.key : $0.key < $1.key }
        return try Self.page(rows, request, names: .marked("policies"), isDescending: isDescending)
    }

    private static func summary(_ name: String) -> AnswerDocument {
        .object(["policyName": .text(name), "policyArn": .text(arn("policy", name))])
    }

    // MARK: - Versions

    func createPolicyVersion(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check("setAsDefault")
        let setAsDefault = try request.flag("setAsDefault") ?? false
        let (name, text, now) = (request.name, try Self.document(request), registry.now)
        let origin = registry.origin("CreatePolicyVersion")
        let number = try await change { (table, _) throws(ControlError) in
            try table.createVersion(of: name, text, setAsDefault: setAsDefault, at: origin, now: now)
        }
        return .object([
            "policyArn": .text(Self.arn("policy", name)), "policyDocument": .text(text), "policyVersionId": .text("\(number)"),
            "isDefaultVersion": .boolean(setAsDefault),
        ])
    }

    private static func number(_ request: Request) throws(ServiceError) -> Int {
        guard let number = request.call.names.last.flatMap({ Int($0) }) else { throw invalid("policyVersionId must be a number.") }
        return number
    }

    func getPolicyVersion(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let (name, number) = (request.name, try Self.number(request))
        guard let version = try found(name).versions.first(where: { $0.number == number }) else {
            throw ServiceError(ThingTable.noVersion(number, of: name), status: .notFound)
        }
        return .object([
            "policyArn": .text(Self.arn("policy", name)), "policyName": .text(name), "policyDocument": .text(version.text),
            "policyVersionId": .text("\(number)"), "isDefaultVersion": .boolean(version.isDefault),
            "creationDate": version.createdMilliseconds.map { .seconds(milliseconds: $0) },
        ])
    }

    func setDefaultPolicyVersion(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let (name, number, now) = (request.name, try Self.number(request), registry.now)
        try await change { (table, _) throws(ControlError) in try table.setDefaultVersion(of: name, number, now: now) }
        return nil
    }

    func deletePolicyVersion(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let (name, number) = (request.name, try Self.number(request))
        try await change { (table, _) throws(ControlError) in try table.deleteVersion(of: name, number) }
        return nil
    }

    func listPolicyVersions(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let versions = try found(request.name).versions.map { version in
            AnswerDocument.object([
                "versionId": .text("\(version.number)"), "isDefaultVersion": .boolean(version.isDefault),
                "createDate": version.createdMilliseconds.map { .seconds(milliseconds: $0) },
            ])
        }
        return .object(["policyVersions": .list(versions)])
    }

    // MARK: - Attachments

    private static func target(_ request: Request) throws(ServiceError) -> PolicyTarget {
        guard let target = try request.members("target").text("target") else { throw invalid("target is missing.") }
        return try PolicyTarget(target)
    }

    func attachPolicy(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let (name, target) = (request.name, try Self.target(request))
        try await change { (table, _) throws(ControlError) in
            switch target {
            case .certificate(let id): try table.attach(policy: name, to: id)
            case .group(let group): try table.attach(policy: name, toGroup: group)
            }
        }
        return nil
    }

    func detachPolicy(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let (name, target) = (request.name, try Self.target(request))
        try await change { (table, _) throws(ControlError) in
            switch target {
            case .certificate(let id): try table.detach(policy: name, from: id)
            case .group(let group): try table.detach(policy: name, fromGroup: group)
            }
        }
        return nil
    }

    func listAttachedPolicies(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check("recursive", "pageSize", "marker")
        let (target, recursive) = (try PolicyTarget(request.name), try request.flag("recursive") ?? false)
        let names = try look { (table) throws(ControlError) in
            switch target {
            // To a certificate nothing comes from elsewhere: groups are of things.
            case .certificate(let id): return try table.certificate(id).policies.sorted()
            case .group(let name):
                let group = try table.group(name)
                return Set(([group] + (recursive ? table.ancestors(of: group) : [])).flatMap(\.policies)).sorted()
            }
        }
        return try Self.page(names.map { (key: $0, row: Self.summary($0)) }, request, names: .marked("policies"))
    }

    func listTargetsForPolicy(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check("pageSize", "marker")
        let name = request.name
        let ids = try look { (table) throws(ControlError) in
            _ = try table.required(policy: name)
            return table.certificates(withPolicy: name).map { Self.arn("cert", $0.id) }
                + table.groups(withPolicy: name).map { Self.arn("thinggroup", $0.name) }
        }
        return try Self.page(ids.map { (key: $0, row: .text($0)) }, request, names: .marked("targets"))
    }
}
