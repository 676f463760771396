import BrokerCore
import Documents
import EventBus
import Foundation
import Logging
import MQTTCodec
import NIOCore
import Records
import Synchronization
import Testing

/// Clocks that tests set, and identifiers that they can foresee.
final class TestWorld: Sendable {
    /// 2026-01-02T03:04:05Z and a half.
    static let start: Int64 = 1_767_323_045_500
    private let now = Atomic<Int64>(TestWorld.start)
    private let steady = Atomic<Int64>(0)
    private let last = Atomic<Int>(0)

    var source: EventSource {
        EventSource(
            nowMilliseconds: { self.now.load(ordering: .relaxed) }, steadyMilliseconds: { self.steady.load(ordering: .relaxed) },
            makeID: { "id-\(self.last.wrappingAdd(1, ordering: .relaxed).newValue)" })
    }

    func advance(milliseconds: Int64) {
        now.wrappingAdd(milliseconds, ordering: .relaxed)
        steady.wrappingAdd(milliseconds, ordering: .relaxed)
    }

    /// Somebody sets the clock; no time passes.
    func setClock(by milliseconds: Int64) { now.wrappingAdd(milliseconds, ordering: .relaxed) }
}

/// Collects log lines as `message key=value …`, keys in order.
struct RecordingLog: LogHandler {
    let lines: LineStore
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .trace

    final class LineStore: Sendable {
        private let stored = Mutex<[String]>([])
        var all: [String] { stored.withLock { $0 } }
        func append(_ line: String) { stored.withLock { $0.append(line) } }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        lines.append(([event.message.description] + fields).joined(separator: " "))
    }
}

/// A published message as tests compare it.
struct Published: Equatable, CustomStringConvertible {
    var topic: String
    var payload: String
    var qos: UInt8
    var retain: Bool
    var hops: UInt8

    init(_ topic: String, _ payload: String, qos: UInt8 = 1, retain: Bool = false, hops: UInt8 = 1) {
        (self.topic, self.payload, self.qos, self.retain, self.hops) = (topic, payload, qos, retain, hops)
    }

    init(_ message: Message) {
        self.init(
            message.topicName, String(buffer: message.payload), qos: message.qos.rawValue, retain: message.retain, hops: message.hops)
    }

    var description: String { "\(topic) \(payload) qos=\(qos) retain=\(retain) hops=\(hops)" }
}

func resources(_ yaml: String, parameters: [String: String] = [:]) throws(DocumentError) -> ResourceSet {
    try ResourceSet(templates: [TemplateDocument(file: "t.yaml", text: yaml, parameters: parameters)])
}

/// An engine over one template, with its clock and its log.
struct EngineFixture {
    let world = TestWorld()
    let log = RecordingLog.LineStore()
    let engine: EventEngine

    init(
        _ yaml: String, limits: EventBusLimits = .init(), store: (any RecordStore)? = nil, spans: (any SpanRecorder)? = nil
    ) throws {
        let lines = log
        engine = EventEngine(
            resources: try resources(yaml), limits: limits, world: world.source,
            logger: Logger(label: "test") { _ in RecordingLog(lines: lines) }, store: store, spans: spans)
    }

    /// Puts one event on the default bus, or on another.
    func put(_ detail: String, type: String = "type", source: String = "shop", bus: String? = nil) throws -> [Published] {
        let entry = PutEventsEntry(source: source, detailType: type, detail: Array(detail.utf8), eventBusName: bus)
        return try engine.putEvents([entry]).output.messages.map(Published.init)
    }

    func publish(
        _ topic: String, _ payload: String, hops: UInt8 = 0, retain: Bool = false, clientID: String? = "device"
    ) -> [Published] {
        let message = Message(topic: topic, payload: payload.utf8, qos: .atLeastOnce, retain: retain, hops: hops)
        return engine.evaluate(message, from: Publisher(clientID: clientID, principal: nil), now: Instant(nanoseconds: 0))
            .messages.map(Published.init)
    }
}

/// The same value whatever the order of the keys and the spacing.
func canonicalJSON(_ text: String) throws -> String {
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .fragmentsAllowed])
    return String(decoding: data, as: UTF8.self)
}

/// The top of the package, whose sources and neighbours some tests read.
let packageRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
