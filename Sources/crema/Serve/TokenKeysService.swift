import BrokerServer
import EventBus
import Logging
import NIOPosix
import OutboundHTTP
import ServiceLifecycle
import Tokens
import Trust

/// Fetches the sets of keys that entries of `tokens` name by URL: at the start, at an interval, and when a token names a key that is new.
///
/// When depends on ``FetchedKeys``; what fails leaves the last good keys in force as long as they may be.
struct TokenKeysService: Service {
    let sets: FetchedKeySets
    let broker: Broker
    let log: Logger

    func run() async throws {
        let lookup = HostLookup()
        // The operator chose where these calls go, so no address is barred.
        let client = OutboundClient(
            policy: OutboundPolicy(), lookup: { host in try await lookup.addresses(of: host) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        for await _ in Ticks().cancelOnGracefulShutdown() {
            let due = sets.due(at: WallClock.now())
            if due.isEmpty { continue }
            var isKeyGone = false
            await withTaskGroup(of: Bool.self) { group in
                for set in due { group.addTask { await fetch(set, with: client) } }
                for await isGone in group { isKeyGone = isKeyGone || isGone }
            }
            // Whoever was let in by a token of that key is closed.
            if isKeyGone { await broker.rightsChanged() }
        }
        lookup.shutDown()
        await client.shutDown()
    }

    /// - Returns: whether a key is gone that was there before.
    private func fetch(_ set: FetchedKeys, with client: OutboundClient) async -> Bool {
        set.fetchBegan(at: WallClock.now())
        let problem: String
        do {
            let keys = try KeySet(json: try await client.document(at: set.url, bytesMax: TokenLimits.keySetBytesMax))
            let isFirst = set.outage(at: WallClock.now()) != nil
            let isGone = set.fetched(keys, at: WallClock.now())
            if isFirst || isGone {
                log.info("keys of tokens fetched", metadata: ["url": "\(set.url)", "keys": "\(keys.summary)"])
            }
            return isGone
        } catch let failure as HTTPFailure {
            problem = failure.reason
        } catch {
            problem = "\(error)"
        }
        if set.failed(problem, at: WallClock.now()) {
            log.warning("keys of tokens cannot be fetched", metadata: ["url": "\(set.url)", "reason": "\(problem)"])
        }
        return false
    }
}

/// One element at once, and one more every second.
private struct Ticks: AsyncSequence, Sendable {
    struct Iterator: AsyncIteratorProtocol {
        var isFirst = true

        mutating func next() async -> Void? {
            if !isFirst { do { try await Task.sleep(for: .seconds(1)) } catch { return nil } }
            isFirst = false
            return ()
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator() }
}
