import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

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

    @Test("What is acknowledged holds nothing, topic and payload alike, also behind a message that is not")
    func bytes() throws {
        var window = OutboundWindow()
        let first = window.open(Delivery(message: Self.message, qos: .exactlyOnce))
        let second = window.open(Delivery(message: Self.message, qos: .exactlyOnce))
        let third = window.open(Delivery(message: Self.message, qos: .atLeastOnce))
        #expect(window.bytes == 12)
        #expect(window.hasRoom(inflightMax: 4, bytesMax: 13) && !window.hasRoom(inflightMax: 4, bytesMax: 12))
        Self.check(window.acknowledge(third))
        Self.check(window.received(second) && window.received(second))
        #expect(window.bytes == 4 && window.unfinished == 2)
        window.restart()
        let again = [window.nextResend(inflightMax: 9), window.nextResend(inflightMax: 9)]
        #expect(again.map { $0?.packetID } == [first, second])
        let held = try #require(again[1])
        // An empty slice would keep the storage that it shares with the payload.
        #expect(held.delivery.message.topic.storageCapacity == 0 && held.delivery.message.payload.storageCapacity == 0)
        Self.check(window.complete(second))
        Self.check(window.received(first))
        #expect(window.bytes == 0)
        Self.check(window.complete(first))
        #expect(window.bytes == 0 && window.isEmpty)
    }

    @Test("Finished entries behind an unfinished one are bounded", arguments: [(2, 512), (64, 512), (100, 800)])
    func span(inflightMax: Int, most: Int) {
        var window = OutboundWindow()
        let first = window.open(Delivery(message: Self.message, qos: .atLeastOnce))
        var opened = 1
        while window.hasRoom(inflightMax: inflightMax) {
            Self.check(window.acknowledge(window.open(Delivery(message: Self.message, qos: .atLeastOnce))))
            opened += 1
        }
        #expect(opened == most)
        Self.check(window.acknowledge(first))
        #expect(window.isEmpty)
        #expect(window.hasRoom(inflightMax: inflightMax))
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
                    if window.bytes != 4 * model.count(where: { $0.stage != nil }) { Issue.record("\(window.bytes) bytes") }
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
