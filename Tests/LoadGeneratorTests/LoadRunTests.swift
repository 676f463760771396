import MQTTCodec
import Testing

@testable import LoadGenerator

@Suite struct LoadRunTests {
    /// Runs 500 messages (unless `change` says otherwise) against a fake broker with `fault`.
    private func run(
        _ fault: FakeBroker.Fault, mode: LoadMode = .p2p, _ change: (inout LoadParameters) -> Void = { _ in }
    ) async throws -> RunFigures {
        let broker = try await FakeBroker(fault)
        var parameters = LoadParameters(mode: mode)
        parameters.amount = .messages(500)
        parameters.warmUpSeconds = 0
        (parameters.publishers, parameters.subscribers) = (mode == .fanout ? 1 : 2, mode == .fanin ? 1 : 2)
        parameters.inflight = 10
        change(&parameters)
        let address = BrokerAddress(host: "127.0.0.1", port: broker.port)
        do {
            let figures = try await LoadRun(parameters: parameters, target: LoadTarget(address: address)).execute()
            try await broker.stop()
            return figures
        } catch {
            try await broker.stop()
            throw error
        }
    }

    @Test(
        "A faithful broker passes, on one thread and on several",
        arguments: [
            (.p2p, 1, 500), (.p2p, 3, 500), (.fanin, 1, 500), (.fanin, 3, 500), (.fanout, 1, 1_000), (.fanout, 3, 1_000),
        ] as [(LoadMode, Int, UInt64)])
    func faithfulBroker(mode: LoadMode, threads: Int, deliveries: UInt64) async throws {
        let figures = try await run(.none, mode: mode) { $0.threads = threads }
        #expect(figures.isClean)
        #expect(figures.published == 500)
        #expect(figures.completed == deliveries)
        #expect(figures.seconds > 0)
        #expect(figures.latency != nil)
    }

    @Test func warmUpIsVerifiedAndNotCounted() async throws {
        let figures = try await run(.none) { $0.warmUpSeconds = 0.05 }
        #expect(figures.isClean)
        #expect(figures.completed == 500)
    }

    @Test func openLoopSendsItsWholeScheduleAndRecordsEveryLatency() async throws {
        let figures = try await run(.none) {
            $0.rate = 2_000
            $0.amount = .seconds(0.1)
        }
        #expect(figures.isClean)
        #expect(figures.completed == 200)
        #expect(figures.latency?.samples == 200)
    }

    @Test func connectCountsAcceptedConnections() async throws {
        let figures = try await run(.none, mode: .connect) {
            $0.amount = .messages(40)
            $0.concurrency = 4
        }
        #expect(figures.isClean)
        #expect(figures.completed == 40)
        #expect(figures.latency?.samples == 40)
    }

    @Test func idleConnectionsStandAndComeBack() async throws {
        let figures = try await run(.none, mode: .idle) {
            $0.amount = .seconds(0.05)
            ($0.connections, $0.concurrency, $0.drops, $0.bystanders, $0.threads) = (40, 7, true, 2, 2)
        }
        #expect(figures.isClean)
        #expect(figures.completed == 40)
        #expect(figures.idle?.connections == 40)
        #expect(figures.idle?.drop?.failed == 0)
        #expect(figures.idle?.drop?.seconds ?? 0 > 0)
    }

    @Test func lossIsFound() async throws {
        let figures = try await run(.drops) {
            // A message that follows shows the hole; without one the run would wait for its timeout.
            $0.amount = .messages(550)
            $0.timeoutSeconds = 0.3
        }
        #expect(figures.verification.count(of: .lost) == 5)
        #expect(!figures.isClean)
    }

    @Test func repetitionIsFound() async throws {
        let figures = try await run(.repeats)
        #expect(figures.verification.count(of: .duplicated) == 5)
        #expect(figures.verification.count(of: .lost) == 0)
    }

    @Test func reorderingIsFound() async throws {
        // One publisher: the message that overtakes is of the same stream.
        let figures = try await run(.swaps) {
            ($0.publishers, $0.subscribers) = (1, 1)
            $0.amount = .messages(550)
        }
        #expect(figures.verification.count(of: .reordered) == 5)
        #expect(figures.verification.count(of: .lost) == 0)
    }

    @Test func corruptionIsFound() async throws {
        let figures = try await run(.corrupts) { $0.timeoutSeconds = 0.3 }
        #expect(figures.verification.count(of: .corrupt) >= 1)
        #expect(!figures.isClean)
    }

    @Test func stallEndsWithWhatIsMissing() async throws {
        let figures = try await run(.isSilent) { $0.timeoutSeconds = 0.2 }
        #expect(figures.interruption?.contains("20 of 20 deliveries missing") == true)
        #expect(figures.verification.count(of: .lost) == 20)
    }

    @Test func lostConnectionEndsTheRun() async throws {
        await #expect { try await run(.hangsUp) } throws: { error in
            guard case LoadError.connectionLost(let reason)? = error as? LoadError else { return false }
            return reason.contains("publisher")
        }
    }

    @Test(
        "A refused CONNECT is told by its reason",
        arguments: [(4, "bad user name or password"), (5, "not authorized")] as [(UInt8, String)])
    func refusedConnect(code: UInt8, reason: String) async throws {
        await #expect { try await run(.refuses(code)) } throws: { error in
            guard let error = error as? LoadError else { return false }
            return error.exitCode == 4 && error.description.contains(reason)
        }
    }

    @Test func nobodyListeningIsCannotConnect() async throws {
        let broker = try await FakeBroker(.none)
        try await broker.stop()
        // At an address of its own: a port that was given back may be another test's by now.
        let run = try LoadRun(
            parameters: LoadParameters(mode: .p2p), target: LoadTarget(address: BrokerAddress(host: "127.77.0.1", port: broker.port)))
        await #expect { try await run.execute() } throws: { ($0 as? LoadError)?.exitCode == 3 }
    }

    @Test func plainBrokerIsATLSErrorForATLSClient() async throws {
        await #expect {
            try await run(.none) {
                $0.tls = TLSParameters()
                $0.tls?.isInsecure = true
                $0.timeoutSeconds = 0.2
            }
        } throws: { ($0 as? LoadError)?.exitCode == 5 }
    }
}
