import FoundationEssentials
import Glibc
import MQTTCodec
import NIOCore
import NIOPosix
import Testing

@testable import LoadGenerator

private let programs: [String] = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto"]
private let mosquittoProgram: String? = programs.first { path in access(path, X_OK) == 0 }

/// Debian's mosquitto as a peer that was not written by us; skipped where it is not installed.
@Suite(.enabled(if: mosquittoProgram != nil, "mosquitto is not installed"))
struct MosquittoTests {
    @Test("Every QoS and shape arrives once and in order", arguments: [LoadMode.p2p, .fanin, .fanout], QoS.allCases)
    func everyQoS(mode: LoadMode, qos: QoS) async throws {
        let program = try #require(mosquittoProgram)
        let broker = try await StartedBroker(program: program)
        defer { broker.end() }
        var parameters = LoadParameters(mode: mode)
        parameters.qos = qos
        (parameters.publishers, parameters.subscribers) = (mode == .fanout ? 1 : 3, mode == .fanin ? 1 : 3)
        parameters.inflight = 20  // mosquitto holds 20 unfinished messages of a QoS 2 publisher, and throws out who sends more
        parameters.threads = 2
        parameters.amount = .messages(600)
        parameters.warmUpSeconds = 0
        let address = BrokerAddress(host: "127.0.0.1", port: broker.port)
        let figures = try await LoadRun(parameters: parameters, target: LoadTarget(address: address, pid: broker.pid)).execute()
        #expect(figures.isClean)
        #expect(figures.published == 600)
        #expect(figures.completed == (mode == .fanout ? 1_800 : 600))
        #expect(figures.brokerResidentBytesAfter ?? 0 > 0)
    }
}

extension MosquittoTests {
    @Test("What it acknowledges for absent subscribers arrives, in both versions", arguments: MQTTVersion.allCases)
    func durable(version: MQTTVersion) async throws {
        let program = try #require(mosquittoProgram)
        let broker = try await StartedBroker(program: program)
        defer { broker.end() }
        var parameters = LoadParameters(mode: .durable)
        (parameters.qos, parameters.version, parameters.keepsSessions) = (.atLeastOnce, version, true)
        (parameters.publishers, parameters.subscribers, parameters.inflight, parameters.offlineMessages) = (3, 3, 20, 50)
        parameters.amount = .messages(300)
        parameters.warmUpSeconds = 0
        let target = LoadTarget(address: BrokerAddress(host: "127.0.0.1", port: broker.port), pid: broker.pid)
        let figures = try await LoadRun(parameters: parameters, target: target).execute()
        #expect(figures.isClean)
        #expect(figures.completed == 300)
        #expect(figures.absence?.acknowledged == 150)
        #expect(figures.acknowledgementLatency?.samples ?? 0 > 0)
    }

    @Test func moreThanItTakesIsRefusedByTheOption() async throws {
        let program = try #require(mosquittoProgram)
        let broker = try await StartedBroker(program: program)
        defer { broker.end() }
        var parameters = LoadParameters(mode: .p2p)
        (parameters.qos, parameters.version, parameters.inflight) = (.atLeastOnce, .v5, 21)
        let target = LoadTarget(address: BrokerAddress(host: "127.0.0.1", port: broker.port))
        let run = try LoadRun(parameters: parameters, target: target)
        await #expect { try await run.execute() } throws: { "\($0)".contains("give --inflight 20") }
    }
}

/// A mosquitto process of its own, on a port below those that the kernel gives to clients: mosquitto cannot tell which port 0 became,
/// and a client that tries such a port before the broker listens can be connected to itself.
private struct StartedBroker {
    let pid: pid_t
    let port: Int

    init(program: String) async throws {
        for _ in 0..<5 {
            let port = Int.random(in: 20_000..<32_000)
            var pid = pid_t()
            var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(program), strdup("-p"), strdup("\(port)"), nil]
            defer { for argument in arguments { free(argument) } }
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            // Sockets and pipes of other tests would not end before this program does.
            for descriptor in STDERR_FILENO + 1..<1_024 { posix_spawn_file_actions_addclose(&actions, descriptor) }
            guard posix_spawn(&pid, program, &actions, nil, &arguments, environ) == 0 else { continue }
            switch await Self.accepts(port: port, pid: pid) {
            case true:
                (self.pid, self.port) = (pid, port)
                return
            case false:
                kill(pid, SIGKILL)
                waitpid(pid, nil, 0)
            case nil: break
            }
        }
        throw LoadError.cannotConnect("mosquitto did not start")
    }

    /// Tries until a connection is accepted, or ten seconds are over; nothing once the process is gone, whose identifier is free then.
    private static func accepts(port: Int, pid: pid_t) async -> Bool? {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            let channel = try? await bootstrap.connect(host: "127.0.0.1", port: port).get()
            try? await channel?.close()
            // It may be another's port: then this one could not have it, and ends.
            try? await Task.sleep(for: .milliseconds(channel == nil ? 5 : 50))
            guard waitpid(pid, nil, WNOHANG) == 0 else { return nil }
            if channel != nil { return true }
        }
        return false
    }

    func end() {
        // A child of a worker thread inherits its signal mask, which holds back SIGTERM.
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }
}
