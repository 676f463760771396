package import BrokerCore
import MQTTCodec
package import NIOCore
package import Trust

/// SCRAM-SHA-256 as an exchange of AUTH packets: the client's first message comes with CONNECT, the server's last goes with CONNACK.
package final class ScramExchange: AuthenticationExchange {
    private let credentials: ScramCredentials
    private var server: ScramServer

    package init(credentials: ScramCredentials) {
        self.credentials = credentials
        server = ScramServer(credentials: credentials)
    }

    package func receive(_ data: ByteBuffer?) -> AuthenticationStep {
        // A re-authentication may begin without data; the client then speaks first in its next AUTH.
        guard let data else { return .challenge(ByteBuffer()) }
        switch server.received(Array(data.readableBytesView)) {
        case .challenge(let message): return .challenge(ByteBuffer(bytes: message))
        case .accepted(let userName, let last):
            guard let fingerprint = credentials.fingerprint(of: userName) else {
                return .refused(.unspecifiedError, "the credential of the user could not be hashed")
            }
            return .accepted(principal: userName, data: ByteBuffer(bytes: last), credential: CredentialFingerprint(fingerprint))
        case .refused(let failure): return .refused(.notAuthorized, failure.description)
        }
    }
}
