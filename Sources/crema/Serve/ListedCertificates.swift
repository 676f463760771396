import AdminServer
import BrokerServer
import EventBus
import Trust

extension CertificateDocument {
    /// What the broker's TLS listeners use now.
    static func all(of broker: Broker, nowMilliseconds: Int64) -> [CertificateDocument] {
        broker.certificates.flatMap { listener, certificates in
            certificates.map { entry in
                let certificate = entry.certificate
                return CertificateDocument(
                    listener: listener, role: entry.role.rawValue, subject: certificate.subject,
                    names: certificate.alternativeNames.map { "\($0)" }, issuer: certificate.issuer, serial: certificate.serialNumber,
                    notBefore: timestamp(milliseconds: certificate.notBefore * 1_000),
                    notAfter: timestamp(milliseconds: certificate.notAfter * 1_000),
                    daysLeft: Int((certificate.notAfter - nowMilliseconds / 1_000) / 86_400))
            }
        }
    }
}
