import BrokerCore
import EventBus
import Synchronization

/// Looks at the figures once a second for all readers of a listener together, as long as there are any.
///
/// Nothing gathers: who reads slowly gets a later look.
final class LivePulse: Sendable {
    private static let pause = Duration.seconds(1)

    private struct State {
        var readers: [UInt64: AsyncStream<[UInt8]>.Continuation] = [:]
        var lastReader: UInt64 = 0
        var work: Task<Void, Never>?
    }

    private let state = Mutex(State())

    /// The documents from now on, each as JSON, made once for all who read; ends when its reader is cancelled.
    func documents(of responder: InspectionResponder) -> AsyncStream<[UInt8]> {
        let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            state.lastReader &+= 1
            state.readers[state.lastReader] = continuation
            if state.work == nil { state.work = Task { await beat(responder) } }
            return state.lastReader
        }
        continuation.onTermination = { [self] _ in readerLeft(id) }
        return stream
    }

    private func readerLeft(_ id: UInt64) {
        let work = state.withLock { state in
            state.readers[id] = nil
            guard state.readers.isEmpty else { return nil as Task<Void, Never>? }
            defer { state.work = nil }
            return state.work
        }
        work?.cancel()
    }

    private func beat(_ responder: InspectionResponder) async {
        var (before, began) = (await responder.look(), ContinuousClock.now)
        while (try? await Task.sleep(for: Self.pause)) != nil {
            let (now, time) = (await responder.look(), ContinuousClock.now)
            let statistics = StatisticsDocument(now.broker, responder.engine.counters, responder.storeStatistics())
            let document = LiveDocument(now, since: before, seconds: (time - began) / .seconds(1), statistics: statistics)
            (before, began) = (now, time)
            // Nothing that is encoded here has values without a JSON form.
            guard !Task.isCancelled, let bytes = try? JSONAnswer.encode(document) else { continue }
            for reader in state.withLock({ Array($0.readers.values) }) { reader.yield(bytes) }
        }
    }
}

extension InspectionResponder {
    fileprivate func look() async -> LiveFigures {
        let statistics = await broker.statistics()
        return LiveFigures(
            timeMilliseconds: EventSource.system.nowMilliseconds(), broker: statistics, listeners: listenerDocuments(statistics))
    }
}
