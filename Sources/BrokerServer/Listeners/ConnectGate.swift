import BrokerCore
import NIOCore

/// Stands where a listener accepts, and turns away what comes faster than it may, before TLS and before any shard hears of it.
///
/// Lives on the listener's event loop; the accepted channel belongs to another one, and is not registered there yet.
struct ConnectGate {
    let listener: Listener
    let driver: ShardDriver

    /// Whether a connection is to be served, which has a place then; one that is not was logged, and is to be closed.
    func admits(_ channel: any Channel) -> Bool {
        let address = channel.remoteAddress
        guard let reason = driver.admission.takePlace(for: listener.terms.limited(PeerNetwork(address)), now: .now) else { return true }
        driver.log.turnedAway(peer: PeerText.of(address), listener: listener.name, reason: reason)
        return false
    }
}
