import BrokerCore
import CremaTesting
import Logging
import MQTTCodec
import NIOCore
import NIOPosix
import Testing

@testable import BrokerServer

@Suite struct LogTests {
    @Test func controlAndFormatCharactersAreEscaped() {
        #expect(LoggedText.escaping("a\nb\u{202E}c\u{1B}[0m é") == "a\\u{a}b\\u{202e}c\\u{1b}[0m é")
    }

    @Test func longTextsAreCut() {
        let text = LoggedText.escaping(String(repeating: "x", count: 1_000))
        #expect(text == String(repeating: "x", count: LoggedText.charactersMax) + "…")
    }

    @Test func oneLinePerSubjectAndSecondAndTheRestIsCounted() {
        var window = LogWindow()
        let admitted = (0..<5).map { _ in window.admits("a") }
        #expect(admitted == [true, false, false, false, false])
        let admitsAnother = window.admits("b")
        #expect(admitsAnother)
        let left = window.close()
        #expect(left.map(\.subject) == ["a"])
        #expect(left.map(\.count) == [4])
        #expect(window.isEmpty)
        let admitsAgain = window.admits("a")
        #expect(admitsAgain)
    }

    @Test func tooManySubjectsShareOneCount() {
        var window = LogWindow()
        for index in 0..<LogWindow.subjectsMax where !window.admits("\(index)") { Issue.record("subject \(index)") }
        let more = [window.admits("one more"), window.admits("another")]
        #expect(more == [false, false])
        #expect(window.close().map(\.count) == [2])
    }

    @Test("That a client was closed is told, also in the second in which its drops were")
    func closesAreToldBesideDrops() async throws {
        let recorder = LogRecorder()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        try await loop.submit {
            let log = EventLog(logger: recorder.logger, eventLoop: loop)
            let info = ConnectionInfo(peer: "127.0.0.1:1", listener: "mqtt", allowsAnonymous: true)
            for _ in 0..<2 { log.report(.messagesDropped(clientID: "a", reason: "outbound_full", count: 1)) }
            log.report(.closed(clientID: "a", info, .limitExceeded(.quotaExceeded, "slow")))
            recorder.logger.info("end")
        }.get()
        var messages: [String] = []
        for await line in recorder.lines {
            messages.append(line.message)
            if line.message == "end" { break }
        }
        #expect(messages == ["messages are dropped", "connection closed", "end"])
    }

    @Test(arguments: [(UInt8(0x16), true), (0x10, false), (0x47, false), (0x80, false)])
    func onlyAHandshakeRecordMayBeginTLS(first: UInt8, isTLS: Bool) {
        #expect((FirstByteHandler.words(for: first) == nil) == isTLS)
    }
}
