import BrokerCore
import BrokerStore
import Foundation
import MQTTCodec
import NIOCore
import Testing

/// What is handed to the store is what the next start finds.
@Suite struct RoundTripTests {
    private let fixture = StoreFixture()
    private let message = Message(topic: "a/b", payload: Array("hello".utf8), qos: .exactlyOnce, retain: true, hops: 3)

    @Test func aSessionComesBackAsItWas() throws {
        var record = SessionRecord(7, "c\u{e9}")
        record.principal = "CN=c"
        record.slowConsumer = .dropOldest
        record.cell = ShardID(3)
        record.expirySeconds = 4_294_967_295
        var properties = Properties()
        properties.willDelayInterval = 30
        properties.messageExpiryInterval = 60
        let will = Will(
            topic: ByteBuffer(string: "w"), payload: ByteBuffer(bytes: [0, 255]), qos: .exactlyOnce, retain: true, properties: properties)
        record.will = WillRecord(will: will, due: nil)
        let found = try fixture.afterWriting(ChangeBatch(changes: [.putSession(record)]))
        #expect(found.map(\.record) == [record])
    }

    @Test func whoClosesOnceMoreWaitsForNothing() throws {
        let store = try fixture.open()
        store.start { _, _ in }
        store.close()
        store.close()
    }

    @Test func aTimeIsTheSameTimeOfDayAfterwards() throws {
        let then = Instant(nanoseconds: Int64(NIODeadline.now().uptimeNanoseconds) - 90_000_000_000)
        var record = SessionRecord(1)
        record.disconnectedAt = then
        let kept = try #require(try fixture.afterWriting(ChangeBatch(changes: [.putSession(record)])).first?.record.disconnectedAt)
        #expect(abs(kept.nanoseconds - then.nanoseconds) < 5_000_000_000)
    }

    @Test func subscriptionsKeepAllTheirOptions() throws {
        var options = SubscriptionOptions(qos: .exactlyOnce)
        options.noLocal = true
        options.retainAsPublished = true
        options.identifier = 268_435_455
        options.excludesParent = true
        let found = try fixture.afterWriting(
            ChangeBatch(changes: [
                .putSession(SessionRecord(1)), .subscribe(session: 1, filter: "a/#", SubscriptionOptions(qos: .atMostOnce)),
                .subscribe(session: 1, filter: "b", SubscriptionOptions(qos: .atMostOnce)), .subscribe(session: 1, filter: "a/#", options),
                .unsubscribe(session: 1, filter: "b"),
            ]))
        #expect(found[0].subscriptions.map(\.filter) == ["a/#"])
        #expect(found[0].subscriptions.map(\.options) == [options])
    }

    @Test("A message comes back whole, short or long, for one session or for many", arguments: [5, 100_000], [1, 3])
    func aMessageIsWhole(bytes: Int, sessions: Int) throws {
        var message = message
        message.payload = ByteBuffer(repeating: 0x41, count: bytes)
        message.properties = MessageProperties(forwarded: ByteBuffer(bytes: [1, 1]), expiresAt: .distantFuture)
        var changes: [StoreChange] = []
        for session in 1...UInt64(sessions) {
            var delivery = DeliveryRecord(session, 9, qos: .exactlyOnce, sequence: 5)
            delivery.identifiers = [3, 4]
            delivery.share = "$share/g/a/b"
            delivery.retain = true
            changes += [.putSession(SessionRecord(session, "c\(session)")), .enqueue(delivery)]
        }
        let found = try fixture.afterWriting(ChangeBatch(bodies: [message], changes: changes))
        #expect(found.count == sessions)
        for session in found {
            let delivery = try #require(session.deliveries.first)
            #expect(delivery.message.topicName == "a/b" && delivery.message.payload == message.payload)
            #expect(delivery.message.qos == .exactlyOnce && delivery.message.retain && delivery.message.hops == 3)
            #expect(delivery.message.properties?.forwarded == ByteBuffer(bytes: [1, 1]))
            #expect(delivery.message.properties?.expiresAt == .distantFuture)
            #expect(delivery.place == 9 && delivery.qos == .exactlyOnce && delivery.retain && delivery.sequence == 5)
            #expect(delivery.identifiers == [3, 4] && delivery.share == "$share/g/a/b" && !delivery.isReleased)
        }
    }

    @Test func aQueueKeepsItsOrderAndWhatWasSentOfIt() throws {
        let found = try fixture.afterWriting(
            ChangeBatch(
                bodies: [message],
                changes: [.putSession(SessionRecord(1))] + (1...4).map { .enqueue(DeliveryRecord(1, $0, qos: .exactlyOnce)) }),
            ChangeBatch(
                2,
                changes: [
                    .sent(session: 1, place: 1, sequence: 1), .sent(session: 1, place: 2, sequence: 2), .released(session: 1, place: 2),
                    .remove(session: 1, place: 3),
                ]))
        #expect(found[0].deliveries.map(\.place) == [1, 2, 4])
        #expect(found[0].deliveries.map(\.sequence) == [1, 2, nil])
        #expect(found[0].deliveries.map(\.isReleased) == [false, true, false])
    }

    @Test func whatIsOverLeavesNothingBehind() throws {
        let long = Message(topic: "a", payload: Array(repeating: 1, count: 5_000), qos: .atLeastOnce)
        let begun: [StoreChange] = [
            .putSession(SessionRecord(1, "a")), .putSession(SessionRecord(2, "b")), .enqueue(DeliveryRecord(1, 1)),
            .enqueue(DeliveryRecord(2, 1)), .subscribe(session: 1, filter: "x", SubscriptionOptions(qos: .atLeastOnce)),
            .received(ReceivedRecord(session: 1, packetID: 4, cell: ShardID(0), expected: ShardSet())),
        ]
        _ = try fixture.afterWriting(ChangeBatch(bodies: [long], changes: begun))
        let found = try fixture.afterWriting(ChangeBatch(2, changes: [.endSession(1), .remove(session: 2, place: 1)]))
        #expect(found.map(\.record.clientID) == ["b"] && found[0].deliveries.isEmpty)
        let size = try FileManager.default.attributesOfItem(atPath: fixture.file)[.size] as? Int
        // Its pages are used again: ten such lives take no more room than one.
        for _ in 0..<10 {
            _ = try fixture.afterWriting(ChangeBatch(bodies: [long], changes: begun))
            _ = try fixture.afterWriting(ChangeBatch(2, changes: [.endSession(1), .remove(session: 2, place: 1)]))
        }
        #expect(try FileManager.default.attributesOfItem(atPath: fixture.file)[.size] as? Int == size)
    }

    @Test func aMessageThatCameAndWentAtOnceIsNotWritten() throws {
        let found = try fixture.afterWriting(
            ChangeBatch(
                bodies: [message],
                changes: [
                    .putSession(SessionRecord(1)), .enqueue(DeliveryRecord(1, 1)), .enqueue(DeliveryRecord(1, 2)),
                    .sent(session: 1, place: 1, sequence: 1), .remove(session: 1, place: 1),
                ]))
        #expect(found[0].deliveries.map(\.place) == [2])
    }

    @Test func partsOfAnExactlyOnceMessageComeFromEachShard() throws {
        var expected = ShardSet()
        expected.insert(ShardID(0))
        expected.insert(ShardID(1))
        let own = ReceivedRecord(session: 1, packetID: 65_535, cell: ShardID(0), expected: expected)
        let other = ReceivedRecord(session: 1, packetID: 65_535, cell: ShardID(1), expected: ShardSet())
        let found = try fixture.afterWriting(
            ChangeBatch(changes: [.putSession(SessionRecord(1)), .received(own)]), ChangeBatch(1, shard: 1, changes: [.received(other)]))
        #expect(found[0].received == [own, other])
        #expect(try fixture.afterWriting(ChangeBatch(changes: [.forget(session: 1, packetID: 65_535)]))[0].received.isEmpty)
    }

    @Test func retainedMessagesComeBackWithWhoKeptThem() throws {
        let store = try fixture.open()
        store.start { _, _ in }
        let publisher = Publisher(clientID: "c", principal: "p")
        #expect(fixture.retained.update(message, by: publisher))
        #expect(fixture.retained.update(Message(topic: "gone", payload: [1], qos: .atMostOnce, retain: true)))
        #expect(fixture.retained.update(Message(topic: "gone", payload: [], qos: .atMostOnce, retain: true)))
        var batch = ChangeBatch(changes: [])
        batch.changesRetained = true
        store.append(batch)
        store.close()
        let again = RetainedStore(isKept: true)
        let next = try fixture.open(retained: again)
        next.start { _, _ in }
        next.close()
        #expect(again.count == 1)
        #expect(again.message(for: ByteBuffer(string: "a/b"))?.payload == message.payload)
        #expect(again.takeChanges().isEmpty)
    }

    @Test func aSessionThatItsClientHasALaterOneOfIsFoundToBeOver() throws {
        _ = try fixture.afterWriting(
            ChangeBatch(changes: [.putSession(SessionRecord(2, "c"))]),
            ChangeBatch(1, shard: 1, changes: [.putSession(SessionRecord(1, "c"))]))
        let part = try #require(fixture.readState().parts(for: 1, enteredIn: SessionDirectory()).first)
        #expect(Dictionary(uniqueKeysWithValues: part.sessions.map { ($0.record.epoch, $0.isOver) }) == [1: true, 2: false])
    }

    @Test("Clients whose names Unicode takes for equivalent are two", arguments: [("K", "\u{212A}"), ("\u{e9}", "e\u{301}")])
    func equivalentNames(one: String, other: String) throws {
        _ = try fixture.afterWriting(
            ChangeBatch(changes: [.putSession(SessionRecord(1, one)), .putSession(SessionRecord(2, other))]))
        let part = try #require(fixture.readState().parts(for: 1, enteredIn: SessionDirectory()).first)
        #expect(part.sessions.map(\.isOver) == [false, false])
    }

    @Test func aMessageOnItsWayIsKeptUntilItHasArrived() throws {
        let (one, other) = (HandOverID(session: 7, place: 3), HandOverID(session: 1, place: 9))
        let share = HandOverRecord(id: one, cell: ShardID(1), done: ShardSet(ShardID(1)), body: 0, share: "$share/g/a/b")
        _ = try fixture.afterWriting(
            ChangeBatch(
                bodies: [message],
                changes: [.putSession(SessionRecord(1)), .handOver(share), .taken(other, by: ShardID(2), cells: ShardSet(ShardID(2)))]),
            ChangeBatch(1, shard: 2, changes: [.taken(one, by: ShardID(2), cells: ShardSet(ShardID(2)))]))
        let found = try fixture.readState()
        let kept = try #require(found.handOvers.first)
        #expect(
            found.handOvers.count == 1 && kept.id == one && kept.cell == ShardID(1) && kept.done == ShardSet(ShardID(1))
                && kept.share == "$share/g/a/b")
        #expect(kept.message.topicName == "a/b" && kept.message.payload == message.payload)
        #expect(kept.taken.contains(ShardID(2)) && !kept.taken.contains(ShardID(1)))
        #expect(found.willsTaken.keys.map(\.place) == [9])
        _ = try fixture.afterWriting(ChangeBatch(2, changes: [.handedOver(one), .endSession(1)]))
        _ = try fixture.readState()  // a start throws out what is nobody's any more
        let rest = try fixture.readState()
        #expect(rest.handOvers.isEmpty && rest.willsTaken.isEmpty)
    }

    @Test func everyShardIsToldHowFarItIs() throws {
        let store = try fixture.open()
        let told = Told()
        store.start { shard, progress in if shard == ShardID(1) { told.append(progress) } }
        for number in 1...50 as ClosedRange<UInt64> {
            store.append(ChangeBatch(number, shard: 1, changes: [.putSession(SessionRecord(number, "c\(number)"))]))
        }
        store.close()
        #expect(told.all.last == .committed(upTo: 50))
        #expect(store.statistics.changes == 50 && store.statistics.commits >= 1)
        #expect(try fixture.read().count == 50)
    }
}
