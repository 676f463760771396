import CremaTesting
import Documents
import EventBus
import Foundation
import Records
import Rights
import Synchronization
import Testing
import Things
import Trust

/// A registry beside a template with one policy, and what it has put in force.
struct ThingFixture {
    let registry: ThingRegistry
    let book: PolicyBook
    private let rights: InForce

    /// What was put in force last.
    private final class InForce: Sendable {
        let rights = Mutex(RegisteredRights())
    }

    static let template = """
        Resources:
          Base:
            Type: AWS::IoT::Policy
            Properties:
              PolicyName: base
              PolicyDocument: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: iot:Connect, Resource: "*" }] }
        """

    init(
        template: String? = ThingFixture.template, attached: [Configuration.PolicyAttachment]? = nil, limits: ThingLimits = ThingLimits(),
        store: RecordsInMemory? = nil
    ) throws {
        let templates = try template.map { [try TemplateDocument(file: "t.yaml", text: $0, parameters: [:])] } ?? []
        book = try PolicyBook(templates: templates, attached: attached)
        let inForce = InForce()
        rights = inForce
        registry = ThingRegistry(policies: book, limits: limits, store: store) { rights in inForce.rights.withLock { $0 = rights } }
    }

    /// What a client may do by all that is in force.
    func grants(_ clientID: String, _ principal: String?, certificate: String? = nil) -> Grants {
        var attributes = ["aws:SourceIp": "127.0.0.1"]
        // A listener knows it by what is signed.
        attributes[PolicySubject.certificateID] = certificate.map { id in
            (try? registry.look { (table) throws(ControlError) in try table.certificate(id).certificate.contentFingerprint }) ?? id
        }
        return book.adding(rights.rights.withLock { $0 })
            .grants(of: PolicySubject(clientID: clientID, principal: principal, attributes: attributes))
    }

    /// What a client may do of which only the name is known, since a restart.
    func grantsWhileAway(_ clientID: String, _ principal: String?) -> Grants {
        book.adding(rights.rights.withLock { $0 }).grants(of: PolicySubject(clientID: clientID, principal: principal, isKnown: false))
    }

    @discardableResult
    func change<Value: Sendable>(_ body: (inout ThingTable) throws(ControlError) -> Value) throws(ControlError) -> Value {
        try registry.change { (table, _) throws(ControlError) in try body(&table) }.0
    }

    func policy(_ name: String, _ action: String, _ resource: String, effect: String = "Allow") throws(ControlError) {
        let text = Self.document(action, resource, effect: effect)
        let origin = registry.origin("CreatePolicy")
        try change { (table) throws(ControlError) in try table.createPolicy(name, text, at: origin, now: 1) }
    }

    static func document(_ action: String, _ resource: String, effect: String = "Allow") -> String {
        #"{"Version":"2012-10-17","Statement":[{"Effect":"\#(effect)","Action":"\#(action)","Resource":"\#(resource)"}]}"#
    }

    /// Registers a certificate that proves a name, and answers its identifier.
    func register(_ name: String, _ status: RegisteredCertificate.Status = .active) throws -> String {
        let registered = try RegisteredCertificate(try Self.certificate(name), status: status, now: 1)
        try change { (table) throws(ControlError) in try table.register(registered) }
        return registered.id
    }

    static func certificate(_ name: String) throws -> Certificate {
        let now = Int64(Date().timeIntervalSince1970)
        let authority = try CertificateAuthority.create(validity: Validity(days: 2, from: now))
        return try authority.issueClient(name: ThingName(name), validity: Validity(days: 1, from: now)).certificate
    }

    /// The code of a refusal; nil for none.
    func code<Value: Sendable>(_ body: (inout ThingTable) throws(ControlError) -> Value) -> ControlError.Code? {
        do throws(ControlError) { try change(body) } catch { return error.code }
        return nil
    }
}
