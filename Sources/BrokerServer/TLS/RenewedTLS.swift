import NIOCore

/// What a reload makes of the files of the open TLS listeners, ready to be taken into use.
package struct RenewedTLS: Sendable {
    fileprivate struct Renewal: Sendable {
        let listener: String
        let current: CurrentEndpoint
        let endpoint: TLSEndpoint
    }

    fileprivate var renewals: [Renewal] = []

    /// What is another than before, in words for the log: one text for each listener.
    package var changes: [String] {
        renewals.filter { $0.current.endpoint.digest != $0.endpoint.digest }.map { "\($0.listener): \($0.endpoint.summary)" }
    }
}

/// Why the files of listeners cannot be used; one error for each listener.
package struct ListenerErrors: Error {
    package let errors: [ListenerError]
}

extension Broker {
    /// Connections that are judged before others have their turn on the event loop.
    private static let judgedAtOnce = 64

    /// Reads the TLS files of the open listeners anew, and takes nothing into use.
    ///
    /// - Parameter listeners: The listeners as configured now; those that are not open under the same name are passed over.
    /// - Returns: What ``take(_:)`` takes into use.
    /// - Throws: All that cannot be used.
    package func renewedTLS(of listeners: [Listener]) throws(ListenerErrors) -> RenewedTLS {
        var (open, opening) = openListeners
        var renewed = RenewedTLS()
        var errors: [ListenerError] = []
        for listener in listeners {
            // Names may be the same where the system chose the ports; then the order counts.
            guard let index = open.firstIndex(where: { $0.listener.name == listener.name }) else { continue }
            guard let current = open.remove(at: index).endpoint else { continue }
            do throws(ListenerError) {
                guard let endpoint = try opening.endpoint(of: listener, replacing: current.endpoint) else { continue }
                renewed.renewals.append(.init(listener: listener.name, current: current, endpoint: endpoint))
            } catch {
                errors.append(error)
            }
        }
        if !errors.isEmpty { throw ListenerErrors(errors: errors) }
        return renewed
    }

    /// Takes certificates, authorities and revocation lists into use.
    ///
    /// New connections use them at once. Clients whose certificate counts no more by them, or has ended since it was looked at last, are
    /// closed with the reason; everyone else stays. An endpoint whose files say what they said is kept, and with it the TLS sessions that
    /// clients may resume.
    ///
    /// - Returns: How many connections were closed.
    package func take(_ renewed: RenewedTLS) async -> Int {
        for renewal in renewed.renewals where renewal.current.endpoint.digest != renewal.endpoint.digest {
            renewal.current.replace(by: renewal.endpoint)
        }
        var closed = 0
        for renewal in renewed.renewals {
            for shard in shards { closed += await judge(renewal, on: shard) }
        }
        return closed
    }

    /// Checks the clients of a listener on one event loop again, away from it and a few at a time.
    private func judge(_ renewal: RenewedTLS.Renewal, on shard: NIOLoopBoundBox<ShardDriver>) async -> Int {
        // A loop that has ended meanwhile has no clients.
        let endpoint = renewal.current.endpoint
        guard let channels = try? await shard.eventLoop.submit({ shard.value.channels.served(on: renewal.current) }).get() else { return 0 }
        var closed = 0
        for start in stride(from: 0, to: channels.count, by: Self.judgedAtOnce) {
            let part = channels[start..<min(start + Self.judgedAtOnce, channels.count)]
            guard let proofs = try? await shard.eventLoop.submit({ shard.value.proofs(of: part) }).get() else { return closed }
            let lost = proofs.compactMap { channel, proof in endpoint.objection(to: proof, isNew: false).map { (channel, $0) } }
            if lost.isEmpty { continue }
            let ended = try? await shard.eventLoop.submit {
                lost.filter { shard.value.proofLost(on: $0, listener: renewal.listener, $1) }.count
            }.get()
            closed += ended ?? 0
        }
        return closed
    }
}
