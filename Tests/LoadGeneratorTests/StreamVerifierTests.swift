import MQTTCodec
import Testing

@testable import LoadGenerator

@Suite struct StreamVerifierTests {
    /// Feeds one publisher's sequence numbers to a fresh verifier, and answers what it finds when `sent` were sent.
    private func report(
        _ sequences: [UInt64], sent: UInt64, qos: QoS = .atMostOnce, marked: Set<Int> = []
    ) -> VerificationReport {
        var verifier = StreamVerifier(subscriber: 3, publishers: 3..<4, qos: qos)
        for (index, sequence) in sequences.enumerated() {
            verifier.receive(publisher: 3, sequence: sequence, isMarkedDuplicate: marked.contains(index))
        }
        return verifier.finish { _ in sent }
    }

    @Test func everyMessageOnceAndInOrderIsClean() {
        let report = report([0, 1, 2, 3], sent: 4)
        #expect(report.isClean)
        #expect(report.redelivered == 0)
    }

    @Test func holeIsLostAndNamed() {
        let report = report([0, 1, 5, 6], sent: 7)
        #expect(report.count(of: .lost) == 3)
        #expect(report.examples == [Violation(.lost, publisher: 3, subscriber: 3, sequence: 2, count: 3)])
        #expect(report.examples[0].description == "lost: publisher 3 to subscriber 3, sequence 2 to 4")
    }

    @Test func missingTailIsLost() {
        let report = report([0, 1], sent: 5)
        #expect(report.count(of: .lost) == 3)
        #expect(report.examples == [Violation(.lost, publisher: 3, subscriber: 3, sequence: 2, count: 3)])
    }

    @Test func repetitionIsDuplicated() {
        let report = report([0, 1, 1, 2], sent: 3)
        #expect(report.count(of: .duplicated) == 1)
        #expect(report.count(of: .lost) == 0)
        #expect(report.examples == [Violation(.duplicated, publisher: 3, subscriber: 3, sequence: 1)])
    }

    @Test func repetitionWithDupIsAllowedAtQoSOneAndCounted() {
        let report = report([0, 1, 1, 2], sent: 3, qos: .atLeastOnce, marked: [2])
        #expect(report.isClean)
        #expect(report.redelivered == 1)
    }

    @Test(
        "DUP excuses no repetition at QoS 0 and 2, nor its absence at QoS 1",
        arguments: [
            (QoS.atMostOnce, Set([2])), (.exactlyOnce, Set([2])), (.atLeastOnce, Set([])),
        ] as [(QoS, Set<Int>)])
    func otherRepetitions(qos: QoS, marked: Set<Int>) {
        #expect(report([0, 1, 1], sent: 2, qos: qos, marked: marked).count(of: .duplicated) == 1)
    }

    @Test func lateMessageIsReorderedAndNeitherLostNorDuplicated() {
        let report = report([0, 2, 3, 1, 4], sent: 5)
        #expect(report.count(of: .reordered) == 1)
        #expect(report.count(of: .lost) == 0)
        #expect(report.count(of: .duplicated) == 0)
        #expect(report.examples == [Violation(.reordered, publisher: 3, subscriber: 3, sequence: 1)])
    }

    @Test func lateMessageInTheMiddleOfAHoleLeavesBothSidesLost() {
        let report = report([0, 6, 3, 3], sent: 7)
        #expect(report.count(of: .reordered) == 1)
        #expect(report.count(of: .duplicated) == 1)
        #expect(report.count(of: .lost) == 4)
    }

    @Test func publishersAreFollowedApart() {
        var verifier = StreamVerifier(subscriber: 0, publishers: 0..<2, qos: .atMostOnce)
        for (publisher, sequence) in [(0, 0), (1, 0), (1, 1), (0, 1), (1, 3)] as [(UInt32, UInt64)] {
            verifier.receive(publisher: publisher, sequence: sequence, isMarkedDuplicate: false)
        }
        let report = verifier.finish { $0 == 0 ? 2 : 4 }
        #expect(report.examples == [Violation(.lost, publisher: 1, subscriber: 0, sequence: 2)])
        #expect(verifier.delivered == 5)
        #expect(verifier.reached(slot: 1) == 4)
    }

    @Test(
        "What was never sent is foreign and moves nothing",
        arguments: [
            (9, 0), (UInt32.max, 0), (3, UInt64.max), (3, StreamVerifier.leapMax + 1),
        ] as [(UInt32, UInt64)])
    func foreignMessage(publisher: UInt32, sequence: UInt64) {
        var verifier = StreamVerifier(subscriber: 3, publishers: 3..<4, qos: .atMostOnce)
        verifier.receive(publisher: publisher, sequence: sequence, isMarkedDuplicate: false)
        #expect(verifier.delivered == 0)
        let report = verifier.finish { _ in 0 }
        #expect(report.count(of: .foreign) == 1)
        #expect(report.count(of: .lost) == 0)
    }

    @Test func moreThanWasSentIsForeign() {
        #expect(report([0, 1, 2], sent: 2).count(of: .foreign) == 1)
    }

    @Test func holesPastTheLimitAreStillLost() {
        let count = UInt64(StreamVerifier.gapsMax + 10)
        let report = report((0..<count).map { $0 * 2 + 1 }, sent: count * 2)
        #expect(report.count(of: .lost) == count)
        #expect(report.examples.count == VerificationReport.examplesMax)
    }
}

@Suite struct AcknowledgementWindowTests {
    @Test func acknowledgementsInOrderCountUp() {
        var window = AcknowledgementWindow()
        let known = (1...3).map { window.receive(packetIdentifier: $0, sent: 3) }
        #expect(known == [true, true, true])
        #expect(window.completed == 3)
    }

    @Test func earlyAcknowledgementWaitsForTheOnesBefore() {
        var window = AcknowledgementWindow()
        #expect(window.receive(packetIdentifier: 2, sent: 3) == true)
        #expect(window.completed == 0)
        #expect(window.receive(packetIdentifier: 1, sent: 3) == true)
        #expect(window.completed == 2)
        #expect(window.receive(packetIdentifier: 3, sent: 3) == true)
        #expect(window.completed == 3)
    }

    @Test("Unsent, repeated and zero identifiers are unknown", arguments: [0, 1, 3, 65_535] as [UInt16])
    func unknown(identifier: UInt16) {
        var window = AcknowledgementWindow()
        #expect(window.receive(packetIdentifier: 1, sent: 2) == true)
        #expect(window.receive(packetIdentifier: identifier, sent: 2) == false)
        #expect(window.completed == 1)
    }

    @Test func identifiersBeginAgainAfterTheLast() {
        var window = AcknowledgementWindow()
        for sequence in 0..<UInt64(65_534) {
            _ = window.receive(packetIdentifier: PublishTemplate.packetIdentifier(of: sequence), sent: sequence + 1)
        }
        #expect(window.receive(packetIdentifier: 1, sent: 65_536) == true)
        #expect(window.completed == 65_534)
        #expect(window.receive(packetIdentifier: 65_535, sent: 65_536) == true)
        #expect(window.completed == 65_536)
    }
}
