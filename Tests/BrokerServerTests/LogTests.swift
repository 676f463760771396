import BrokerCore
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

    @Test(arguments: [(UInt8(0x16), true), (0x10, false), (0x47, false), (0x80, false)])
    func onlyAHandshakeRecordMayBeginTLS(first: UInt8, isTLS: Bool) {
        #expect((FirstByteHandler.words(for: first) == nil) == isTLS)
    }
}
