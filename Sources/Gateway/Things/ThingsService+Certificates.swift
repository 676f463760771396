import Documents
import EventBus
import Rules
import Things
import Trust

/// The operations on certificates.
extension ThingsService {
    func registerCertificate(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let members = try request.members("certificatePem", "status")
        guard let pem = try members.text("certificatePem") else { throw Self.invalid("certificatePem is missing.") }
        let status = try Self.status(try members.text("status") ?? RegisteredCertificate.Status.inactive.rawValue, in: "status")
        let now = registry.now
        let certificate = try Self.certificate(pem, status, now)
        try await change { (table, isEnforced) throws(ControlError) in
            try Self.check(status, isEnforced: isEnforced)
            try table.register(certificate)
        }
        return .object([
            "certificateArn": .text(Self.arn("cert", certificate.id)), "certificateId": .text(certificate.id),
        ])
    }

    private static func certificate(
        _ pem: String, _ status: RegisteredCertificate.Status, _ now: Int64
    ) throws(ServiceError) -> RegisteredCertificate {
        func refusal(_ reason: String) -> ServiceError { ServiceError(ControlError(.certificateValidation, reason)) }
        let list: [Certificate]
        do throws(TrustError) { list = try Certificate.list(pem: Array(pem.utf8), source: "certificatePem") } catch {
            throw refusal("\(error)")
        }
        guard list.count == 1, let certificate = list.first else {
            throw refusal("certificatePem has \(list.count) certificates, not one.")
        }
        guard !certificate.isAuthority else { throw refusal("certificatePem is the certificate of an authority, not of a device.") }
        do throws(ControlError) { return try RegisteredCertificate(certificate, status: status, now: now) } catch {
            throw ServiceError(error)
        }
    }

    private static func status(_ text: String, in member: String) throws(ServiceError) -> RegisteredCertificate.Status {
        if let status = RegisteredCertificate.Status(rawValue: text) { return status }
        let known = RegisteredCertificate.Status.allCases.map(\.rawValue).joined(separator: ", ")
        throw invalid("The \(member) \(text) is not supported by Crema; there are \(known).")
    }

    /// Refuses what nobody would keep to.
    private static func check(
        _ status: RegisteredCertificate.Status, isEnforced: Bool
    ) throws(ControlError) {
        guard status != .active, !isEnforced else { return }
        throw ControlError(
            .invalidRequest,
            "No rights are asked for here, so a certificate that is \(status.rawValue) would be let in: declare a policy, or write `policies: []` "
                + "in the configuration; or revoke it by `crema certs revoke`.")
    }

    func describeCertificate(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let id = Self.certificateID(request.name)
        let registered = try look { (table) throws(ControlError) in try table.certificate(id) }
        let pem: [UInt8]
        do throws(TrustError) { pem = try registered.certificate.pem() } catch {
            throw ServiceError(.serviceUnavailable, "The certificate cannot be written: \(error).")
        }
        let validity = AnswerDocument.object([
            "notBefore": .number(Int(registered.certificate.notBefore)), "notAfter": .number(Int(registered.certificate.notAfter)),
        ])
        return .object([
            "certificateDescription": .object([
                "certificateArn": .text(Self.arn("cert", id)), "certificateId": .text(id), "status": .text(registered.status.rawValue),
                "certificatePem": .text(String(decoding: pem, as: UTF8.self)), "ownedBy": .text(TemplateScope.accountID),
                "creationDate": .seconds(milliseconds: registered.createdMilliseconds),
                "lastModifiedDate": .seconds(milliseconds: registered.modifiedMilliseconds), "validity": validity,
                "certificateMode": .text(Self.mode),
            ])
        ])
    }

    /// Of certificates that were registered without their authority.
    private static let mode = "SNI_ONLY"

    func updateCertificate(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check("newStatus")
        let status = try Self.status(request.query["newStatus"] ?? "", in: "newStatus")
        let (id, now) = (Self.certificateID(request.name), registry.now)
        try await change { (table, isEnforced) throws(ControlError) in
            _ = try table.certificate(id)
            try Self.check(status, isEnforced: isEnforced)
            try table.setStatus(status, of: id, now: now)
        }
        return nil
    }

    func deleteCertificate(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check("forceDelete")
        let (id, force) = (Self.certificateID(request.name), try request.flag("forceDelete") ?? false)
        try await change { (table, _) throws(ControlError) in try table.deleteCertificate(id, force: force) }
        return nil
    }

    func listCertificates(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check("pageSize", "marker", "isAscendingOrder")
        let isDescending = try !(request.flag("isAscendingOrder") ?? false)
        let certificates = try look { (table) in Array(table.certificates.values) }
        let rows = certificates.map { certificate in
            (
                key: Self.key(certificate.createdMilliseconds, certificate.id),
                row: AnswerDocument.object([
                    "certificateArn": .text(Self.arn("cert", certificate.id)), "certificateId": .text(certificate.id),
                    "status": .text(certificate.status.rawValue), "certificateMode": .text(Self.mode),
                    "creationDate": .seconds(milliseconds: certificate.createdMilliseconds),
                ])
            )
        }.sorted { isDescending ? $0.key > $1.key : $0.key < $1.key }
        return try Self.page(rows, request, names: .marked("certificates"), isDescending: isDescending)
    }

    /// Orders by the time of creation, and then by the name.
    static func key(_ milliseconds: Int64, _ name: String) -> String {
        let digits = String(max(0, milliseconds))
        return "\(String(repeating: "0", count: max(0, 16 - digits.count)))\(digits) \(name)"
    }
}
