import BrokerCore
import NIOCore
import NIOSSL
import NIOTLS
import Trust

/// Stands between TLS and what the client is to speak until the handshake is complete and the client's certificate believed.
///
/// Nothing that the client sends is
/// processed before, and on a resumed session, where TLS itself looks at no certificate, it is checked all the same.
final class HandshakeGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    /// Whose context the handshake is made with.
    private let endpoint: TLSEndpoint
    private let current: CurrentEndpoint
    private var connection: AcceptedConnection
    private let handshakeSecondsMax: Int
    private let hello: ServerHelloHandler
    private let paced: PacedHandshakeHandler
    private var timeout: Scheduled<Void>?
    /// What the chain check during the handshake found; `nil` if there was none, as on a resumed session.
    private var found: Result<Principal, HandshakeFailure>?
    /// What the client sent beside its own certificate.
    private var intermediates: [[UInt8]] = []
    private var isDone = false

    init(
        endpoint: TLSEndpoint, of current: CurrentEndpoint, connection: AcceptedConnection, handshakeSecondsMax: Int,
        hello: ServerHelloHandler, paced: PacedHandshakeHandler
    ) {
        self.hello = hello
        self.paced = paced
        self.endpoint = endpoint
        self.current = current
        self.connection = connection
        self.handshakeSecondsMax = handshakeSecondsMax
    }

    /// Called by TLS during a full handshake, in place of its own check, which would not tell whose certificate it refuses.
    func check(_ chain: [NIOSSLCertificate], _ promise: EventLoopPromise<NIOSSLVerificationResultWithMetadata>) {
        do throws(HandshakeFailure) {
            let presented = try Self.bytes(of: chain)
            found = .success(try endpoint.identify(presented))
            intermediates = endpoint.shared(Array(presented.dropFirst()))
            promise.succeed(.certificateVerified(VerificationMetadata(nil)))
        } catch {
            found = .failure(error)
            promise.succeed(.failed)
        }
    }

    private static func bytes(of chain: [NIOSSLCertificate]) throws(HandshakeFailure) -> [[UInt8]] {
        do {
            return try chain.map { try $0.toDERBytes() }
        } catch {
            throw HandshakeFailure(reason: "the client's certificate cannot be read: \(error)", subject: "")
        }
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        let limit = TimeAmount.seconds(Int64(handshakeSecondsMax))
        timeout = context.eventLoop.assumeIsolated().scheduleTask(in: limit) {
            self.fail(HandshakeFailure(reason: HandshakeFailure.timedOut), context: context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timeout?.cancel()
        timeout = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Decrypted before the client is known, or after it was refused: never looked at.
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? TLSUserEvent, case .handshakeCompleted = event else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        if isDone { return }
        do throws(HandshakeFailure) {
            let principal = try identity(context)
            try judgeAgain(context)
            connection.tls = summary(principal, of: context.channel)
            connection.attributes = try attributes(of: context.channel)
            // From here on a reload finds the connection.
            connection.driver.channels.note(intermediates: intermediates, of: context.channel, on: current)
            isDone = true
            figures.figures.handshakesCompleted &+= 1
            serve(principal, context: context)
        } catch {
            fail(error, context: context)
        }
    }

    private var figures: ListenerCounters { connection.driver.shard.counters(ofListener: connection.listener.name) }

    /// Who the client is; `nil` for a client that may stay unknown.
    private func identity(_ context: ChannelHandlerContext) throws(HandshakeFailure) -> Principal? {
        guard endpoint.verifiesClients else { return nil }
        switch found {
        case .failure(let failure): throw failure
        case .success(let principal): return principal
        case nil: break
        }
        if let leaf = try Self.leaf(of: context.channel) { return try endpoint.identifyAgain(leaf) }
        if endpoint.requiresCertificate { throw HandshakeFailure(reason: HandshakeFailure.noCertificate) }
        return nil
    }

    private func summary(_ principal: Principal?, of channel: any Channel) -> TLSSummary {
        let version: String? = (try? channel.pipeline.syncOperations.nioSSL_tlsVersion()).flatMap { $0 }.map { version in
            switch version {
            case .tlsv1: "TLSv1"
            case .tlsv11: "TLSv1.1"
            case .tlsv12: "TLSv1.2"
            case .tlsv13: "TLSv1.3"
            }
        }
        return TLSSummary(version: version ?? "TLS", cipher: hello.cipherSuite, certificate: principal?.name)
    }

    /// A reload during the handshake counts for it, too.
    private func judgeAgain(_ context: ChannelHandlerContext) throws(HandshakeFailure) {
        let endpoint = current.endpoint
        guard endpoint !== self.endpoint else { return }
        let proof = ClientProof(leaf: try Self.leaf(of: context.channel), intermediates: intermediates)
        if let failure = endpoint.objection(to: proof, isNew: true) { throw failure }
    }

    /// The client's own certificate, which TLS keeps as long as the connection lives; `nil` for a client that showed none.
    static func leaf(of channel: any Channel) throws(HandshakeFailure) -> [UInt8]? {
        do {
            return try channel.pipeline.syncOperations.nioSSL_peerCertificate()?.toDERBytes()
        } catch {
            throw HandshakeFailure(reason: "the client's certificate cannot be read: \(error)", subject: "")
        }
    }

    private func attributes(of channel: any Channel) throws(HandshakeFailure) -> [String: String] {
        guard let leaf = try Self.leaf(of: channel) else { return [:] }
        guard connection.driver.wantsAttributes else { return ClientAttributes.identifier(ofCertificate: leaf) }
        do {
            return try ClientAttributes.of(Certificate(der: leaf))
        } catch {
            throw HandshakeFailure(reason: "the client's certificate cannot be read: \(error)", subject: "")
        }
    }

    private func serve(_ principal: Principal?, context: ChannelHandlerContext) {
        do {
            try connection.serve(principal: principal?.name, isTLS: true)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            paced.finish()
        } catch {
            fail(HandshakeFailure(reason: "the connection broke after the handshake: \(error)"), context: context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .failure(let failure) = found { return fail(failure, context: context) }
        fail(error as? HandshakeFailure ?? HandshakeFailure(error: error), context: context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(HandshakeFailure(reason: HandshakeFailure.peerLeft), context: context)
        context.fireChannelInactive()
    }

    private func fail(_ failure: HandshakeFailure, context: ChannelHandlerContext) {
        if isDone { return }
        isDone = true
        figures.figures.handshakesFailed &+= 1
        // A certificate that is refused is a failure to prove who one is; a handshake that breaks is not.
        if failure.subject != nil { _ = connection.driver.admission.failed(connection.network, now: .now) }
        connection.driver.log.handshakeFailed(peer: connection.peer, listener: connection.listener.name, failure: failure)
        context.close(promise: nil)
    }
}
