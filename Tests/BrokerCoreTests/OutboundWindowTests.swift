import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@Suite struct OutboundWindowTests {
    private static let message = Message(topic: "t", payload: [1, 2, 3], qos: .exactlyOnce)

    /// `#expect` takes no expression that changes something.
    private static func check(_ answer: Bool, at location: SourceLocation = #_sourceLocation) {
        #expect(answer, sourceLocation: location)
    }

    private static func unfinished(_ window: OutboundWindow) -> [UInt16] {
        var window = window
        window.restart()
        var found: [UInt16] = []
        while let entry = window.nextResend(inflightMax: .max) { found.append(entry.packetID) }
        return found
    }

    @Test("Each stage takes its own acknowledgement only")
    func stages() {
        var window = OutboundWindow()
        let one = window.open(Delivery(message: Self.message, qos: .atLeastOnce))
        let two = window.open(Delivery(message: Self.message, qos: .exactlyOnce))
        #expect([one, two] == [1, 2])
        Self.check(!window.received(one) && !window.complete(one))
        Self.check(!window.acknowledge(two) && !window.complete(two))
        Self.check(!window.acknowledge(0) && !window.acknowledge(3) && !window.acknowledge(.max))
        Self.check(window.received(two) && window.received(two))
        Self.check(window.complete(two))
        Self.check(!window.complete(two) && !window.received(two))
        #expect(Self.unfinished(window) == [one])
        Self.check(window.acknowledge(one))
        #expect(window.isEmpty && window.unfinished == 0)
    }

    @Test("Finished entries behind an unfinished one are bounded")
    func span() {
        var window = OutboundWindow()
        let first = window.open(Delivery(message: Self.message, qos: .atLeastOnce))
        var opened = 1
        while window.hasRoom(inflightMax: 2) {
            Self.check(window.acknowledge(window.open(Delivery(message: Self.message, qos: .atLeastOnce))))
            opened += 1
        }
        #expect(opened == 16)
        Self.check(window.acknowledge(first))
        #expect(window.isEmpty)
        #expect(window.hasRoom(inflightMax: 2))
    }

    @Test(
        "With the largest window every identifier is in use once, and no more are given [MQTT-2.3.1-2] [MQTT5-2.2.1-4]",
        arguments: [65_535, 100_000, Int.max])
    func largestWindow(inflightMax: Int) {
        var window = OutboundWindow()
        var used = Set<UInt16>()
        while window.hasRoom(inflightMax: inflightMax) {
            used.insert(window.open(Delivery(message: Self.message, qos: .atLeastOnce)))
            if window.unfinished > 65_535 { break }
        }
        #expect(window.unfinished == 65_535)
        #expect(used.count == 65_535)
        #expect(!used.contains(0))
    }

    @Test("Behaves as a plain list under random acknowledgements", arguments: 1...8 as ClosedRange<UInt64>)
    func againstPlainList(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var window = OutboundWindow()
        var model: [(packetID: UInt16, stage: QoS?)] = []  // stage nil: PUBREC has come
        for _ in 0..<4_000 {
            if window.hasRoom(inflightMax: 20), random.happens(percent: 45) {
                let qos: QoS = random.happens(percent: 50) ? .atLeastOnce : .exactlyOnce
                let packetID = window.open(Delivery(message: Self.message, qos: qos))
                if packetID == 0 || model.contains(where: { $0.packetID == packetID }) { Issue.record("\(packetID) is in use") }
                model.append((packetID, qos))
            } else if !model.isEmpty {
                let place = Int.random(in: 0..<model.count, using: &random)
                let (packetID, stage) = model[place]
                switch stage {
                case .atLeastOnce:
                    Self.check(window.acknowledge(packetID))
                    model.remove(at: place)
                case .exactlyOnce:
                    Self.check(window.received(packetID))
                    model[place].stage = nil
                default:
                    Self.check(window.complete(packetID))
                    model.remove(at: place)
                }
            }
            if window.unfinished != model.count { Issue.record("\(window.unfinished) unfinished, \(model.count) expected") }
        }
        #expect(Self.unfinished(window) == model.map(\.packetID))
    }
}
