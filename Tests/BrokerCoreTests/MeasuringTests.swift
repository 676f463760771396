import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@Suite struct MeasuringTests {
    @Test("What was measured is in the bucket of its length, and beyond the last bound in a bucket of its own")
    func buckets() {
        var histogram = LatencyHistogram()
        let lengths: [(Int64, Int)] = [(-5, 0), (0, 0), (100_000, 0), (100_001, 1), (30_000_000_000, 16), (30_000_000_001, 17)]
        for (nanoseconds, bucket) in lengths {
            let before = histogram.counts
            histogram.record(nanoseconds: nanoseconds, times: 3)
            #expect(histogram.counts[bucket] == before[bucket] + 3, "\(nanoseconds)")
        }
        #expect(histogram.count == 18)
        #expect(abs(histogram.sumSeconds - 180.0006) < 0.0001)
    }

    @Test("Quantiles are those that Prometheus makes of the same buckets")
    func quantiles() {
        var histogram = LatencyHistogram()
        #expect(histogram.quantile(0.99) == nil)
        histogram.record(nanoseconds: 700_000, times: 98)  // 0.5 to 1 ms
        histogram.record(nanoseconds: 20_000_000, times: 2)  // 10 to 25 ms
        #expect(histogram.quantile(0.49) == 0.00075)
        #expect(histogram.quantile(0.99) == 0.0175)
        var later = histogram
        later.record(nanoseconds: 60_000_000_000, times: 5)
        #expect(later.since(histogram).count == 5)
        #expect(later.since(histogram).quantile(0.5) == 30)
    }

    @Test("A message is not larger for the time that it carries")
    func size() {
        #expect(MemoryLayout<Message>.stride == 64)
    }

    @Test("An age is told to the step, also where the steps come round again, and what comes from the future has none")
    func ages() {
        let round = Int64(UInt32.max) << 16
        for start in [1 << 16, round - (5 << 16), round, round * 7] as [Int64] {
            let time = AcceptTime(Instant(nanoseconds: start))
            #expect(time.isKnown)
            let age = time.age(at: Instant(nanoseconds: start + 10_000_000_000))
            #expect(abs(age - 10_000_000_000) <= 2 << 16, "\(start)")
            #expect(time.age(at: Instant(nanoseconds: max(0, start - (3 << 16)))) == 0)
        }
        #expect(!AcceptTime.unknown.isKnown)
    }

    private func histogram(_ broker: SimulatedBroker) -> LatencyHistogram {
        broker.nodes.reduce(into: LatencyHistogram()) { $0.add($1.core.statistics().publishToDeliver) }
    }

    @Test("A message counts once for each client that it is written to, on whatever shard", arguments: [QoS.atMostOnce, .atLeastOnce])
    func deliveries(qos: QoS) throws {
        let broker = SimulatedBroker(shards: 2, now: Instant(nanoseconds: 1_000_000_000))
        let readers = try (0..<3).map { try broker.client("r\($0)", at: $0 % 2) }
        for reader in readers { _ = try reader.subscribe("t", qos) }
        let publisher = try broker.client("p")
        _ = try publisher.exchange(message("t", "1", qos: qos, packetID: 7))
        #expect(histogram(broker).count == 3)
        for reader in readers { #expect(try reader.read().count == 1) }
    }

    @Test("What waits for a client that takes nothing counts with its wait, when the client takes it")
    func waiting() throws {
        let broker = SimulatedBroker(shards: 1, now: Instant(nanoseconds: 1_000_000_000))
        let reader = try broker.client("r")
        _ = try reader.subscribe("t")
        let publisher = try broker.client("p")
        let socket = try #require(reader.socket)
        broker.setWritable(socket, false)
        _ = try publisher.exchange(message("t", "1"))
        #expect(histogram(broker).count == 0)
        broker.advance(seconds: 2)
        broker.setWritable(socket, true)
        broker.settle()
        #expect(histogram(broker).count == 1)
        #expect(abs(histogram(broker).sumSeconds - 2) < 0.001)
    }

    @Test("What waits together counts as the oldest of it, each once, and what has no time not at all")
    func waitingTogether() throws {
        let broker = SimulatedBroker(shards: 1, now: Instant(nanoseconds: 1_000_000_000))
        let reader = try broker.client("r")
        _ = try reader.subscribe("t")
        _ = try reader.subscribe("$SYS/#")
        let publisher = try broker.client("p")
        let socket = try #require(reader.socket)
        broker.setWritable(socket, false)
        broker.nodes[0].core.publish(Message(topic: "$SYS/broker/x", payload: "1".utf8, qos: .atMostOnce), now: broker.now)
        for _ in 0..<2 {
            _ = try publisher.exchange(message("t", "1"))
            broker.advance(seconds: 1)
        }
        broker.setWritable(socket, true)
        broker.settle()
        #expect(histogram(broker).count == 2 && abs(histogram(broker).sumSeconds - 4) < 0.001)
        // The next wait is another one.
        broker.setWritable(socket, false)
        broker.advance(seconds: 1)
        broker.setWritable(socket, true)
        broker.settle()
        #expect(histogram(broker).count == 2)
    }

    @Test("What waits for an acknowledgement of a client that is there counts with its wait")
    func waitingForTheWindow() throws {
        var limits = BrokerLimits()
        limits.inflightMax = 1
        let broker = SimulatedBroker(shards: 1, limits: limits, now: Instant(nanoseconds: 1_000_000_000))
        let reader = try broker.client("r")
        _ = try reader.subscribe("t", .atLeastOnce)
        let publisher = try broker.client("p")
        broker.advance(seconds: 5)  // or the client would be as new as the message
        for packetID in 1...2 as ClosedRange<UInt16> {
            _ = try publisher.exchange(message("t", "1", qos: .atLeastOnce, packetID: packetID))
        }
        broker.advance(seconds: 2)
        _ = try reader.read()
        _ = try reader.exchange(.puback(packetID: 1))
        #expect(histogram(broker).count == 2 && abs(histogram(broker).sumSeconds - 2) < 0.001)
    }

    @Test("Retained messages, what waited for a client to come, what is sent again, and the broker's own figures count for nothing")
    func notCounted() throws {
        let broker = SimulatedBroker(shards: 1, now: Instant(nanoseconds: 1_000_000_000))
        let publisher = try broker.client("p")
        _ = try publisher.exchange(message("kept", "1", retain: true))
        let reader = try broker.client("r", cleanSession: false)
        _ = try reader.subscribe("kept")
        _ = try reader.subscribe("q", .atLeastOnce)
        _ = try reader.subscribe("$SYS/#")
        reader.lose()
        broker.settle()
        _ = try publisher.exchange(message("q", "2", qos: .atLeastOnce, packetID: 1))
        broker.advance(seconds: 3)
        #expect(try reader.connect(cleanSession: false).count == 2)
        reader.lose()
        broker.settle()
        #expect(try reader.connect(cleanSession: false).count == 2)
        broker.nodes[0].core.publish(Message(topic: "$SYS/broker/x", payload: "1".utf8, qos: .atMostOnce), now: broker.now)
        broker.settle()
        #expect(try reader.read().count == 1)
        #expect(histogram(broker).count == 0)
    }

    @Test("Listeners count what came through them, and who is there")
    func listeners() throws {
        let broker = SimulatedBroker(shards: 2)
        let clients = try (0..<4).map { try broker.client("c\($0)", at: $0 % 2) }
        _ = try clients[0].exchange(message("t", "12345"))
        clients[3].lose()
        broker.settle()
        var sum = ListenerFigures()
        for node in broker.nodes {
            let figures = node.core.statistics().listeners
            #expect(figures.count == 1)
            for one in figures.values { sum.add(one) }
        }
        #expect((sum.connected, sum.accepted, sum.messagesReceived) == (3, 4, 1))
        #expect(sum.bytesReceived == broker.nodes.reduce(0) { $0 + $1.core.statistics().bytesReceived })
        #expect(sum.bytesSent == broker.nodes.reduce(0) { $0 + $1.core.statistics().bytesSent })
    }
}
