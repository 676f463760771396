package import EventBus
package import Rights
import Trust

/// Everything that is registered, as one value.
///
/// Each call throws before it changes anything, in the service's words. What has changed is in `takeTouched()`, and whether rights did in
/// `rightsChanged`.
package struct ThingTable: Sendable {
    enum Key: Hashable, Sendable {
        case thing(String)
        case certificate(String)
        case policy(String)
        case group(String)
        case type(String)
    }

    let limits: ThingLimits
    /// The policies of the templates, which are changed only there.
    package internal(set) var templates: [Policy]
    package internal(set) var things: [String: Thing] = [:]
    package internal(set) var groups: [String: ThingGroup] = [:]
    package internal(set) var types: [String: ThingType] = [:]
    /// By their identifiers.
    package internal(set) var certificates: [String: RegisteredCertificate] = [:]
    package internal(set) var policies: [String: RegisteredPolicy] = [:]
    /// Policies in the store whose version in force this Crema cannot read: whoever has one may do nothing, for it may deny what others allow.
    package internal(set) var unreadablePolicies: Set<String> = []
    private var touched: Set<Key> = []
    /// Whether somebody may do more or less than before this was set back.
    var rightsChanged = false

    init(limits: ThingLimits, templates: [Policy]) { (self.limits, self.templates) = (limits, templates) }

    mutating func touch(_ key: Key, rights: Bool) {
        touched.insert(key)
        if rights { rightsChanged = true }
    }

    mutating func takeTouched() -> Set<Key> {
        defer { touched = [] }
        return touched
    }

    /// What it means for who may do what.
    package var rights: RegisteredRights {
        let ofGroups = groups.mapValues { policies(inForceFor: $0) }
        let holders = Set(certificates.values.flatMap(\.things))
        return RegisteredRights(
            policies: policies.values.compactMap { $0.inForce?.policy },
            certificates: Dictionary(
                certificates.values.map { certificate in
                    let rights = RegisteredRights.Certificate(
                        principal: certificate.principal, status: statusInForce(of: certificate), policies: certificate.policies,
                        things: Set(certificate.things))
                    return (certificate.content, rights)
                }, uniquingKeysWith: { first, _ in first }),
            things: things.filter { holders.contains($0.key) }.mapValues { thing in
                let policies = thing.groups.flatMap { ofGroups[$0] ?? [] }
                return RegisteredRights.Thing(
                    policies: policies, lacks: policies.first(where: isLost), type: thing.type, attributes: thing.attributes)
            })
    }

    /// Whether something here says what somebody may not do: it has to be asked for.
    var saysWhoMayNot: Bool {
        !policies.isEmpty || !unreadablePolicies.isEmpty || certificates.values.contains { $0.status != .active }
    }

    private func statusInForce(of certificate: RegisteredCertificate) -> String {
        guard certificate.status == .active, let lost = certificate.policies.first(where: isLost) else {
            return certificate.status.rawValue
        }
        return "of the policy \(lost), which cannot be read"
    }

    /// Whether a policy is in the store, and nobody knows what it says.
    private func isLost(_ policy: String) -> Bool { unreadablePolicies.contains(policy) && template(policy) == nil }

    // MARK: - Things

    /// A thing that must be there.
    package func thing(_ name: String) throws(ControlError) -> Thing {
        guard let thing = things[name] else { throw ControlError(.resourceNotFound, "Thing \(name) not found") }
        return thing
    }

    /// Makes a thing, or answers one that is there already and just so.
    package mutating func createThing(
        _ name: String, attributes: [String: String], type: String? = nil, id: String
    ) throws(ControlError) -> Thing {
        // No value is no attribute.
        let attributes = attributes.filter { !$0.value.isEmpty }
        try Thing.check(attributes, limits)
        if let known = things[name] {
            guard known.attributes == attributes, known.type == type else {
                let what = known.attributes == attributes ? "type" : "attributes"
                throw ControlError(.resourceAlreadyExists, "Thing \(name) already exists in account with different \(what)")
            }
            return known
        }
        if let type { try usableType(type) }
        guard things.count < limits.thingsMax else {
            throw ControlError(.invalidRequest, "There are thingsMax (\(limits.thingsMax)) things already.")
        }
        let thing = Thing(name: name, id: id, attributes: attributes, type: type)
        things[name] = thing
        touch(.thing(name), rights: false)
        return thing
    }

    /// What a call says of a thing's type.
    package enum TypeChange: Sendable, Equatable {
        case keep
        case set(String)
        case remove
    }

    /// Changes the attributes of a thing, of which one with an empty value goes, and its type.
    ///
    /// - Parameters:
    ///   - name: the thing's.
    ///   - attributes: nil for no change of them.
    ///   - merge: whether those that are not named stay.
    ///   - type: what becomes of the type.
    ///   - expected: the version that the thing must have; nil for any.
    /// - Throws: for a thing that is not there or has another version, for attributes that no thing may have, and for a type that is not
    ///   there or not given any more.
    package mutating func updateThing(
        _ name: String, attributes: [String: String]?, merge: Bool, type: TypeChange = .keep, expected: Int64?
    ) throws(ControlError) {
        let former = try thing(name)
        var thing = former
        try Self.check(expected, thing)
        switch type {
        case .keep: break
        case .remove: thing.type = nil
        case .set(let type):
            if type != thing.type { try usableType(type) }
            thing.type = type
        }
        if let attributes {
            let all = merge ? thing.attributes.merging(attributes, uniquingKeysWith: { $1 }) : attributes
            thing.attributes = all.filter { !$0.value.isEmpty }
            try Thing.check(thing.attributes, limits)
        }
        guard thing.version < .max else { throw ControlError(.invalidRequest, "Thing \(name) cannot be changed any more.") }
        thing.version += 1
        things[name] = thing
        // Policies may speak of both.
        let isOther = thing.attributes != former.attributes || thing.type != former.type
        touch(.thing(name), rights: isOther && !certificates(ofThing: name).isEmpty)
    }

    /// Deletes a thing; one that is not there is no error, as in the service.
    package mutating func deleteThing(_ name: String, expected: Int64?) throws(ControlError) {
        guard let thing = things[name] else { return }
        try Self.check(expected, thing)
        guard certificates(ofThing: name).isEmpty else {
            throw ControlError(.invalidRequest, "Cannot delete. Thing \(name) is still attached to one or more principals")
        }
        things[name] = nil
        touch(.thing(name), rights: false)
    }

    private static func check(_ expected: Int64?, _ thing: Thing) throws(ControlError) {
        guard let expected, expected != thing.version else { return }
        throw ControlError(
            .versionConflict, "The version for this update does not match the expected version: \(thing.name) has version \(thing.version)."
        )
    }

    // MARK: - Things and certificates

    /// The certificates that belong to a thing, in the order of their identifiers.
    package func certificates(ofThing name: String) -> [RegisteredCertificate] {
        certificates.values.filter { $0.things.contains(name) }.sorted { $0.id < $1.id }
    }

    /// Says that the holder of a certificate is a thing; doing it twice is the same as doing it once.
    package mutating func attach(_ id: String, toThing name: String) throws(ControlError) {
        _ = try thing(name)
        var certificate = try certificate(id)
        if certificate.things.contains(name) { return }
        guard certificate.things.count < limits.thingPrincipalsMax, certificates(ofThing: name).count < limits.thingPrincipalsMax else {
            throw ControlError(
                .invalidRequest, "There are thingPrincipalsMax (\(limits.thingPrincipalsMax)) attachments of the thing or the principal.")
        }
        certificate.things.append(name)
        put(certificate)
    }

    /// Takes that back.
    package mutating func detach(_ id: String, fromThing name: String) throws(ControlError) {
        _ = try thing(name)
        var certificate = try certificate(id)
        guard certificate.things.contains(name) else { return }
        certificate.things.removeAll { $0 == name }
        put(certificate)
    }

    // MARK: - Certificates

    /// A certificate that must be there.
    package func certificate(_ id: String) throws(ControlError) -> RegisteredCertificate {
        guard let certificate = certificates[id] else {
            throw ControlError(.resourceNotFound, "The certificate given in the principal does not exist (certificateId=\(id))")
        }
        return certificate
    }

    /// Every change of a certificate is one of rights.
    private mutating func put(_ certificate: RegisteredCertificate) {
        certificates[certificate.id] = certificate
        touch(.certificate(certificate.id), rights: true)
    }

    /// Takes a certificate that is not there yet.
    package mutating func register(_ certificate: RegisteredCertificate) throws(ControlError) {
        // Another signature of the same content is no other certificate.
        guard !certificates.values.contains(where: { $0.content == certificate.content }) else {
            throw ControlError(
                .resourceAlreadyExists, "The certificate is already provisioned or registered (certificateId=\(certificate.id))")
        }
        guard certificate.certificate.der.count <= limits.registeredCertificateBytesMax else {
            throw ControlError(
                .certificateValidation,
                "A certificate may have registeredCertificateBytesMax (\(limits.registeredCertificateBytesMax)) bytes, "
                    + "not \(certificate.certificate.der.count).")
        }
        guard certificates.count < limits.registeredCertificatesMax else {
            throw ControlError(
                .invalidRequest, "There are registeredCertificatesMax (\(limits.registeredCertificatesMax)) certificates already.")
        }
        put(certificate)
    }

    /// Says whether the holder of a certificate may do anything.
    package mutating func setStatus(_ status: RegisteredCertificate.Status, of id: String, now: Int64) throws(ControlError) {
        var certificate = try certificate(id)
        guard certificate.status != status else { return }
        certificate.status = status
        certificate.modifiedMilliseconds = now
        put(certificate)
    }

    /// Forgets a certificate that is not active, and to which nothing is attached; with `force`, policies may be.
    package mutating func deleteCertificate(_ id: String, force: Bool) throws(ControlError) {
        let certificate = try certificate(id)
        guard certificate.status != .active else {
            throw ControlError(.certificateState, "Certificate must be deactivated (not ACTIVE) before deletion.")
        }
        guard certificate.things.isEmpty, force || certificate.policies.isEmpty else {
            let what = certificate.things.isEmpty ? "policies" : "things"
            throw ControlError(.deleteConflict, "Certificate \(what) must be detached before deletion (certificateId=\(id))")
        }
        certificates[id] = nil
        touch(.certificate(id), rights: true)
    }

    // MARK: - Policies of certificates

    /// Attaches a policy, of the API or of a template, to a certificate; doing it twice is the same as doing it once.
    package mutating func attach(policy name: String, to id: String) throws(ControlError) {
        _ = try required(policy: name)
        var certificate = try certificate(id)
        if certificate.policies.contains(name) { return }
        guard certificate.policies.count < limits.certificatePoliciesMax else {
            throw ControlError(
                .limitExceeded,
                "The maximum number of policies attached to a certificate is certificatePoliciesMax "
                    + "(\(limits.certificatePoliciesMax)).")
        }
        certificate.policies.append(name)
        put(certificate)
    }

    /// Takes that back.
    package mutating func detach(policy name: String, from id: String) throws(ControlError) {
        var certificate = try certificate(id)
        guard certificate.policies.contains(name) else {
            _ = try required(policy: name)
            return
        }
        certificate.policies.removeAll { $0 == name }
        put(certificate)
    }

    /// The certificates that a policy is attached to by API, in the order of their identifiers.
    package func certificates(withPolicy name: String) -> [RegisteredCertificate] {
        certificates.values.filter { $0.policies.contains(name) }.sorted { $0.id < $1.id }
    }
}
