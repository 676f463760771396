import BrokerCore
import MQTTCodec
import Rights
import Trust

/// What a client has beside its names, under the names that policies have for it.
enum ClientAttributes {
    /// The fields of its certificate, and the identifier of that.
    static func of(_ certificate: Certificate) throws(TrustError) -> [String: String] {
        let values = try CertificateAttributes(of: certificate).values
        var attributes = Dictionary(values.map { (CertificateVariable.prefix + $0.key, $0.value) }) { first, _ in first }
        attributes[PolicySubject.certificateID] = certificate.contentFingerprint
        return attributes
    }

    /// What its certificate is known by, where nothing else of it is asked for: rights that come later have to know whom they are about.
    static func identifier(ofCertificate der: [UInt8]) -> [String: String] {
        [PolicySubject.certificateID: Certificate.contentFingerprint(of: der)]
    }

    /// Those of its certificate, where it comes from, and what its CONNECT asks for.
    static func of(_ connect: Connect, on connection: ConnectionInfo) -> [String: String] {
        var attributes = connection.attributes
        attributes[PolicyCondition.sourceAddress] = PeerText.address(of: connection.peer)
        var asked: [String] = []
        if connect.will != nil { asked.append("LastWill") }
        let outlives = connect.version == .v5 ? (connect.properties.sessionExpiryInterval ?? 0) > 0 : !connect.cleanStart
        if outlives || !connect.cleanStart { asked.append("PersistentConnect") }
        if !asked.isEmpty { attributes[PolicyCondition.connectAttributes] = asked.joined(separator: ",") }
        return attributes
    }
}
