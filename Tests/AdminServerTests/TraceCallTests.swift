import AdminServer
import AsyncHTTPClient
import BrokerCore
import CremaTesting
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

/// A client's trace over a socket.
@Suite(.timeLimit(.minutes(1))) struct TraceCallTests {
    private static func withListener(
        limits: InspectionLimits = InspectionLimits(), _ body: @Sendable (InspectionFixture, String) async throws -> Void
    ) async throws {
        try await RunningListener.with(
            { onListening in
                let fixture = try InspectionFixture(limits: limits, onListening: onListening)
                return (fixture, fixture.server)
            },
            { try await body($0.fixture, $0.url) })
    }

    private static func open(_ address: String, _ call: String) async throws -> HTTPClientResponse {
        try await HTTPClient.shared.execute(HTTPClientRequest(url: "\(address)/api/v1/\(call)"), deadline: .now() + .seconds(30))
    }

    @Test("A trace is written step by step, and ends by itself")
    func steps() async throws {
        try await Self.withListener { fixture, address in
            let response = try await Self.open(address, "clients/till%2F1/trace?seconds=5&linesPerSecond=9")
            #expect(response.status == .ok)
            let text = String(buffer: try await response.body.collect(upTo: 10_000))
            let step = try JSONDecoder().decode(TraceDocument.self, from: Data(text.utf8))
            #expect(step.direction == "in" && step.packet == "PUBLISH" && step.skipped == 3)
            #expect(step.detail["qos"] == .number(1) && step.detail["properties"] == .list(["x"]) && step.detail["retain"] == .flag(false))
            #expect(step.order == ["topic", "qos", "retain", "properties"])
            #expect(step.time.utf8.count == 24 && step.time.hasSuffix("Z"))
            #expect(fixture.broker.operators.withLock { $0.asked } == ["trace till/1 5 9"])
            _ = try await Self.open(address, "clients/a/trace").body.collect(upTo: 10_000)
            #expect(fixture.broker.operators.withLock { $0.asked }.last == "trace a 60 100")
        }
    }

    @Test("Traces are limited in number, length and lines by limits with names")
    func limits() async throws {
        var limits = InspectionLimits()
        limits.tracesMax = 0
        limits.traceSecondsMax = 10
        limits.traceLinesPerSecondMax = 20
        try await Self.withListener(limits: limits) { [limits] _, address in
            for query in ["seconds=\(limits.traceSecondsMax + 1)", "linesPerSecond=21", "seconds=0"] {
                #expect(try await Self.open(address, "clients/a/trace?\(query)").status == .badRequest)
            }
            let full = try await Self.open(address, "clients/a/trace?seconds=10&linesPerSecond=20")
            #expect(full.status == .serviceUnavailable)
            #expect(String(buffer: try await full.body.collect(upTo: 10_000)).contains("tracesMax"))
        }
    }
}
