import BrokerCore
import MQTTCodec
import NIOCore

/// A JSON Web Token as the data of enhanced authentication, with CONNECT and again with AUTH before the token of before has ended.
///
/// The method has the name that Azure Event Grid's MQTT broker gives it. There is no challenge, but for a re-authentication that begins
/// without data.
final class TokenExchange: AuthenticationExchange {
    static let method = "OAUTH2-JWT"

    private let verify: ([UInt8]) -> AuthenticationStep

    init(verifying verify: @escaping ([UInt8]) -> AuthenticationStep) { self.verify = verify }

    func receive(_ data: ByteBuffer?) -> AuthenticationStep {
        guard let data else { return .challenge(ByteBuffer()) }
        return verify(Array(data.readableBytesView))
    }
}
