import BrokerCore
import CremaTesting
import Dispatch
import Foundation
import MQTTCodec
import NIOCore
import Synchronization
import Testing

@testable import BrokerServer

/// Checks that wait until the test lets them.
private final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let running = Mutex((now: 0, most: 0, begun: 0))

    var begun: Int { running.withLock { $0.begun } }
    var mostAtOnce: Int { running.withLock { $0.most } }

    func pass() {
        running.withLock { state in
            state.now += 1
            state.begun += 1
            state.most = max(state.most, state.now)
        }
        semaphore.wait()
        running.withLock { $0.now -= 1 }
    }

    func open(_ count: Int) { for _ in 0..<count { semaphore.signal() } }
}

/// Lets in who says nothing; passwords take as long as the gate is shut, and are never right.
private struct GateAuthorizer: Authorizer {
    struct Check: CredentialCheck {
        let gate: Gate

        func run() -> CheckedCredential {
            gate.pass()
            return .refuted(.badUserNameOrPassword, "wrong")
        }
    }

    let gate: Gate
    var isUnrestricted: Bool { true }
    func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication {
        connect.userName == nil ? .accepted(principal: nil) : .toBeChecked(Check(gate: gate))
    }
    func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool { true }
}

@Suite(.timeLimit(.minutes(2))) struct CredentialChecksTests {
    /// CONNECT of MQTT 3.1.1 with a user name and a password.
    private static let wrong: [UInt8] = [0x10, 19, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 0xC2, 0, 60, 0, 1, 0x77, 0, 1, 0x75, 0, 1, 0x70]
    private static let busy: [UInt8] = [0x20, 2, 0, 3]
    private static let badPassword: [UInt8] = [0x20, 2, 0, 4]

    @Test("Threat 58: while as many wrong passwords wait as there is room for, messages flow, and further clients are refused and counted")
    func flood() async throws {
        let gate = Gate()
        var limits = TestSite.patient
        limits.passwordChecksWaitingMax = 6
        try await TestSite.run(limits: limits, authorizer: GateAuthorizer(gate: gate)) { site in
            defer { gate.open(100) }
            let port = try await site.start(TestSite.plain)
            try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        try await RawClient.run(port: port) { client in
                            try await client.send(Self.wrong)
                            return try await client.receiveAll()
                        }
                    }
                }
                while await site.broker.statistics().passwordChecksWaiting < 6 { try await Task.sleep(for: .milliseconds(5)) }
                for _ in 0..<20 {
                    let answer = try await RawClient.run(port: port) { client in
                        try await client.send(Self.wrong)
                        return try await client.receiveAll()
                    }
                    #expect(answer == Self.busy)
                }
                try await messagesFlow(port: port)
                #expect(gate.begun == 2)
                let during = await site.broker.statistics()
                #expect(during.connectionsRefused == ["serverBusy": 20])
                #expect(during.passwordChecks == ["refused": 20, "answered": 0, "abandoned": 0])
                gate.open(6)
                for try await answer in group { #expect(answer == Self.badPassword) }
            }
            let after = await site.broker.statistics()
            #expect(after.connectionsRefused == ["serverBusy": 20, "badUserNameOrPassword": 6])
            #expect(after.passwordChecks == ["refused": 20, "answered": 6, "abandoned": 0])
            #expect(after.passwordChecksWaiting == 0 && after.authenticationsFailed == 6)
            #expect(gate.mostAtOnce == 2)
        }
    }

    /// On both event loops, to which connections are dealt in turn.
    private func messagesFlow(port: Int) async throws {
        try await RawClient.run(port: port) { subscriber in
            try await subscriber.send(Packets.connect("s") + Packets.subscribe("t/#"))
            #expect(try await subscriber.receive(Packets.suback))
            for number in 0..<4 {
                try await RawClient.run(port: port) { publisher in
                    try await publisher.send(Packets.connect("p\(number)") + Packets.publish("t/\(number)", "live"))
                    #expect(try await subscriber.receive(Packets.publish("t/\(number)", "live")))
                }
            }
        }
    }

    @Test("A client that leaves is not checked, and one of a blocked address neither")
    func leftOut() async throws {
        let gate = Gate()
        defer { gate.open(100) }
        let admission = Admission(limits: BrokerLimits())
        let checks = CredentialChecks(admission: admission, threads: 1)
        let blocked = try #require(PeerNetwork("192.0.2.1"))
        for _ in 0..<10 { _ = admission.failed(blocked, now: .now) }
        let answers = Mutex<[String]>([])
        func begin(_ id: UInt64, _ network: PeerNetwork?) {
            checks.begin(GateAuthorizer.Check(gate: gate), of: id, from: network) { answer in
                answers.withLock { $0.append("\(id): \(answer)") }
            }
        }
        begin(1, nil)
        while gate.begun == 0 { try await Task.sleep(for: .milliseconds(1)) }
        begin(2, nil)
        begin(3, blocked)
        begin(4, PeerNetwork("192.0.2.2"))
        checks.abandon(2)
        gate.open(2)
        while answers.withLock({ $0.count }) < 3 { try await Task.sleep(for: .milliseconds(1)) }
        let refuted = "refuted(MQTTCodec.ReasonCode.badUserNameOrPassword, \"wrong\")"
        let banned = "undecided(MQTTCodec.ReasonCode.banned, \"the address failed too often (failedAuthenticationsMax)\")"
        #expect(answers.withLock { $0 } == ["1: \(refuted)", "3: \(banned)", "4: \(refuted)"])
        #expect(gate.begun == 2)
        await checks.end()
        begin(5, nil)
        #expect(gate.begun == 2)
    }
}
