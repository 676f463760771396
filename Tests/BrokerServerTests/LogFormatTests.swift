import Foundation
import Logging
import Testing

@testable import BrokerServer

@Suite struct LogFormatTests {
    private func text(_ line: LogLine, as format: LogFormat) -> String {
        var text: [UInt8] = []
        var clock = LogLine.Clock()
        line.append(to: &text, clock: &clock, as: format)
        return String(decoding: text, as: UTF8.self)
    }

    private func line(_ message: String, _ metadata: Logger.Metadata = [:], level: Logger.Level = .info) -> LogLine {
        LogLine(
            time: .init(seconds: 951_868_799, milliseconds: 7), level: level, label: "crema.broker", message: message, metadata: metadata)
    }

    @Test func logfmtIsPairsInAFixedOrder() {
        let text = text(line("client connected", ["peer": "127.0.0.1:1", "client_id": "till 1"]), as: .logfmt)
        let expected = #"time=2000-02-29T23:59:59.007Z level=info event=client_connected msg="client connected" logger=crema.broker "#
        #expect(text == expected + #"client_id="till 1" peer=127.0.0.1:1"# + "\n")
    }

    @Test func jsonIsOneObjectALine() throws {
        let text = text(line("session taken over", ["peer": "127.0.0.1:1"], level: .warning), as: .json)
        #expect(text.hasSuffix("}\n") && text.filter { $0 == "\n" }.count == 1)
        let object = try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
        #expect(
            object == [
                "time": "2000-02-29T23:59:59.007Z", "level": "warning", "event": "session_taken_over", "message": "session taken over",
                "logger": "crema.broker", "peer": "127.0.0.1:1",
            ])
    }

    @Test("Threat 53: whatever a value is, it stays one value of one line", arguments: LogFormat.allCases)
    func nothingIsForged(format: LogFormat) throws {
        let hostile = "x\" level=critical event=forged\n{\"level\":\"critical\"}\r\u{1B}[2J\u{7F}\t\\\u{0}"
        let text = text(line("m", ["client_id": "\(hostile)", "level": "critical", "event": "forged"]), as: format)
        #expect(text.utf8.filter { $0 < 0x20 || $0 == 0x7F } == [0x0A])
        switch format {
        case .json:
            let object = try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
            #expect(object["client_id"] == hostile)
            #expect(object["level"] == "info" && object["_level"] == "critical" && object["_event"] == "forged" && object["event"] == "m")
        case .logfmt:
            let own = "time=2000-02-29T23:59:59.007Z level=info event=m msg=m logger=crema.broker"
            #expect(text.hasPrefix("\(own) client_id=\"x\\\"") && text.hasSuffix("\" _event=forged _level=critical\n"))
        }
    }

    @Test func theEventOfALineThatSaysMoreIsNamedBeside() {
        #expect(line("listening on 127.0.0.1:1", .event("listening")).event == "listening")
        #expect(line("listening on 127.0.0.1:1", .event("listening")).fields.isEmpty)
        #expect(line("TLS handshake failed").event == "tls_handshake_failed")
        #expect(line("the peer's end, twice: gone!").event == "the_peers_end_twice_gone")
        #expect(line(String(repeating: "ab ", count: 100)).event.utf8.count <= 64)
    }

    @Test func aReaderGetsTheLastLinesAndThoseToComeFromItsLevelOn() async {
        let readers = LogReaders()
        readers.wrote((0..<300).map { line("\($0)") } + [line("debug", level: .debug)])
        let stream = readers.lines(from: .info)
        readers.wrote([line("a", ["k": "v"]), line("hidden", level: .debug), line("b", level: .error)])
        readers.finish()
        var messages: [String] = []
        for await read in stream {
            messages.append(read.message)
            if read.message == "a" { #expect(read.metadata == ["k": "v"] && read.time == "2000-02-29T23:59:59.007Z") }
        }
        #expect(messages == (101..<300).map { "\($0)" } + ["a", "b"])
    }

    @Test func aReaderThatIsTooSlowLosesLinesAndIsTold() async {
        let readers = LogReaders()
        let stream = readers.lines(from: .trace)
        readers.wrote((0..<LogReaders.linesWaitingMax + 5).map { line("\($0)") })
        var iterator = stream.makeAsyncIterator()
        _ = await iterator.next()
        readers.wrote([line("after")])
        readers.finish()
        var last: ReadLogLine?
        while let next = await iterator.next() { last = next }
        #expect(last?.message == "after" && last?.skipped == 5)
    }

    @Test func anotherLevelHoldsEverywhereUntilItsTimeIsOver() async throws {
        let levels = LogLevels(.info)
        let writer = LogWriter(descriptor: -1)
        defer { writer.finish() }
        let log = Logger(label: "crema") { WritingLogHandler(label: $0, writer: writer, levels: levels) }
        var quiet = log
        quiet.logLevel = .error
        #expect(log.logLevel == .info && levels.timeLeft == nil)
        levels.set(.debug, for: .seconds(600))
        #expect(log.logLevel == .debug && quiet.logLevel == .error)
        #expect((levels.timeLeft ?? .zero) > .seconds(500))
        levels.configure(.warning)
        #expect(log.logLevel == .debug && levels.configured == .warning)
        levels.set(.trace, for: .milliseconds(1))
        while levels.timeLeft != nil { try await Task.sleep(for: .milliseconds(5)) }
        #expect(log.logLevel == .warning)
    }
}
