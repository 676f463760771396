import AdminServer
import AsyncHTTPClient
import BrokerCore
import CremaTesting
import Foundation
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

private final class FinishedReaders: Sendable {
    let count = Mutex(0)
}

@Suite struct LiveCallTests {
    private static let listener = OpenedListener(
        name: "mqtt 127.0.0.1:0", protocol: "mqtt", address: "127.0.0.1:1883", isTLS: false, authentication: "anonymous")

    private static func statistics(messages: UInt64) -> BrokerStatistics {
        var statistics = BrokerStatistics()
        statistics.publishReceived = [messages, 0, 0]
        statistics.publishToDeliver.record(nanoseconds: 700_000, times: messages)
        statistics.eventLoopLagSeconds = [0.001, 0.0255]
        var figures = ListenerFigures()
        (figures.connected, figures.messagesReceived) = (2, messages)
        statistics.listeners = [listener.name: figures]
        return statistics
    }

    @Test("Every second tells what came since the one before", arguments: ["application/x-ndjson", "text/event-stream"])
    func live(accepted: String) async throws {
        let broker = StagedBroker(statistics: Self.statistics(messages: 1_000_000))
        try await RunningListener.with(
            { onListening in
                let fixture = try InspectionFixture(
                    broker: broker, site: SiteFigures(listeners: { [Self.listener] }), onListening: onListening)
                return (fixture, fixture.server)
            },
            { running in
                var request = HTTPClientRequest(url: "\(running.url)/api/v1/live")
                request.headers.add(name: "accept", value: accepted)
                let response = try await HTTPClient.shared.execute(request, deadline: .now() + .seconds(30))
                #expect(response.headers.first(name: "content-type") == accepted)
                var messages: UInt64 = 1_000_000
                var documents = 0
                for try await piece in response.body {
                    let text = String(buffer: piece).split(separator: "\n").first.map(String.init) ?? ""
                    guard let start = text.firstIndex(of: "{") else { continue }
                    let document = try JSONDecoder().decode(LiveDocument.self, from: Data(text[start...].utf8))
                    #expect(document.eventLoopLagMilliseconds == 25.5)
                    #expect(document.listeners.map(\.listener) == [Self.listener.name] && document.listeners[0].connected == 2)
                    documents += 1
                    if document.rates.messagesInPerSecond > 0 {
                        #expect(document.listeners[0].messagesInPerSecond == document.rates.messagesInPerSecond)
                        #expect(document.latency.samples > 0 && document.latency.p99Milliseconds ?? 0 > 0.5)
                        #expect(document.latency.p99Milliseconds ?? 1 <= 1)
                        break
                    }
                    #expect(document.latency.samples == 0 && document.latency.p99Milliseconds == nil)
                    messages += 500
                    broker.stage(Self.statistics(messages: messages))
                }
                #expect(documents >= 2)
            })
    }

    @Test("However many read, the broker is looked at once a second")
    func oneLookForAll() async throws {
        let broker = StagedBroker(statistics: Self.statistics(messages: 1))
        try await RunningListener.with(
            { onListening in
                let fixture = try InspectionFixture(broker: broker, onListening: onListening)
                return (fixture, fixture.server)
            },
            { running in
                let url = running.url
                let readers = FinishedReaders()
                let first = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<6 {
                        group.addTask {
                            let documents = try await Self.read(url) { $0 == 2 }
                            readers.count.withLock { $0 += 1 }
                            return documents
                        }
                    }
                    group.addTask { try await Self.read(url) { _ in readers.count.withLock { $0 == 6 } } }
                    return try await group.reduce(0, max)
                }
                let looks = broker.operators.withLock { $0.asked.filter { $0 == "statistics" }.count }
                #expect(looks <= first + 3, "\(first) documents")
            })
    }

    /// Reads documents until it is enough; answers how many there were.
    private static func read(_ url: String, until isEnough: @Sendable (Int) -> Bool) async throws -> Int {
        let request = HTTPClientRequest(url: "\(url)/api/v1/live")
        let response = try await HTTPClient.shared.execute(request, deadline: .now() + .seconds(60))
        var documents = 0
        for try await piece in response.body where String(buffer: piece).contains("{") {
            documents += 1
            if isEnough(documents) { break }
        }
        return documents
    }

    @Test func listenersAreRowsWithWhatCameThrough() async throws {
        let tls = OpenedListener(
            name: "mqtts 0.0.0.0:8883", protocol: "mqtts", address: "0.0.0.0:8883", isTLS: true, authentication: "client certificate",
            certificateNotAfter: 1_800_000_000)
        let http = OpenedListener(
            name: "http 127.0.0.1:8080", protocol: "http", address: "127.0.0.1:8080", isTLS: false, authentication: "anonymous",
            connections: (7, 9, 2))
        let fixture = try InspectionFixture(
            broker: StagedBroker(statistics: Self.statistics(messages: 5)),
            site: SiteFigures(listeners: { [Self.listener, tls, http] }))
        let response = try await fixture.get("/api/v1/listeners")
        let rows = try JSONDecoder().decode(ListDocument<ListenerDocument>.self, from: Data(response.body.readableBytesView)).rows
        #expect(rows.map(\.protocol) == ["mqtt", "mqtts", "http"])
        #expect((rows[0].connected, rows[0].messagesReceived, rows[0].bind) == (2, 5, "127.0.0.1:1883"))
        #expect(rows[0].certificateNotAfter == nil && rows[0].handshakesFailed == nil)
        #expect(rows[1].tls && rows[1].certificateNotAfter == "2027-01-15T08:00:00Z" && rows[1].handshakesFailed == 0)
        #expect((rows[2].connected, rows[2].accepted) == (7, 9))
    }
}

/// A log that says what it is asked.
private final class StagedLog: LogAccess {
    private let asked = Mutex<[String]>([])

    var questions: [String] { asked.withLock { $0 } }

    func lines(from level: String) -> AsyncStream<LogDocument> {
        asked.withLock { $0.append("lines \(level)") }
        return AsyncStream { continuation in
            continuation.yield(
                LogDocument(
                    time: "2026-01-01T00:00:00.000Z", level: "info", event: "ready", message: "ready", logger: "crema", metadata: ["a": "b"]
                ))
            continuation.finish()
        }
    }

    var levels: LogLevelDocument { LogLevelDocument(level: "debug", configured: "info", revertsInSeconds: 60) }

    func set(level: String, seconds: Int, by peer: String) { asked.withLock { $0.append("set \(level) \(seconds)") } }
}

@Suite struct LogCallTests {
    private let log = StagedLog()

    private func fixture() throws -> InspectionFixture { try InspectionFixture(site: SiteFigures(log: log)) }

    @Test func theLevelIsToldAndChangedForAWhile() async throws {
        let fixture = try fixture()
        #expect(try await fixture.get("/api/v1/log/level").text == #"{"configured":"info","level":"debug","revertsInSeconds":60}"#)
        let changed = try await fixture.change("/api/v1/log/level", #"{"level":"trace","seconds":30}"#, method: .put)
        #expect(changed.status == .ok)
        #expect(log.questions == ["set trace 30"])
    }

    @Test(
        "What is no level, or no time, changes nothing",
        arguments: [
            (#"{"level":"loud","seconds":30}"#, "there is no log level 'loud'"), (#"{"level":"info","seconds":0}"#, "logLevelSecondsMax"),
            (#"{"level":"info","seconds":86401}"#, "logLevelSecondsMax"), (#"{"level":"info"}"#, "it has no 'seconds'"), ("", "no JSON"),
        ])
    func refusals(body: String, words: String) async throws {
        let answer = try await fixture().change("/api/v1/log/level", body, method: .put)
        #expect(answer.status == .badRequest && answer.text.contains(words), "\(answer.text)")
        #expect(log.questions.isEmpty)
    }

    @Test func withoutALogThereAreNoSuchCalls() async throws {
        let fixture = try InspectionFixture()
        for path in ["log", "log/level"] { #expect(try await fixture.get("/api/v1/\(path)").status == .notFound) }
    }
}
