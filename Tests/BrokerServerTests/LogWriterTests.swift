import Dispatch
import Glibc
import Logging
import Synchronization
import Testing

@testable import BrokerServer

@Suite struct LogWriterTests {
    /// A pipe, read to its end once its writing side is closed.
    private struct Pipe {
        let reader: CInt
        let writer: CInt

        init() throws {
            var ends: [CInt] = [0, 0]
            try #require(pipe(&ends) == 0)
            // Or its end would wait for programs that other tests start.
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            (reader, writer) = (ends[0], ends[1])
        }

        func readToEnd() -> [String] {
            var text: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(reader, &chunk, chunk.count)
                if count <= 0 { break }
                text.append(contentsOf: chunk[..<count])
            }
            close(reader)
            return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    private func logger(_ writer: LogWriter, level: Logger.Level = .info) -> Logger {
        Logger(label: "crema") { WritingLogHandler(label: $0, writer: writer, levels: LogLevels(level)) }
    }

    @Test("A line tells time, level, label and metadata in the order of their names")
    func line() throws {
        let pipe = try Pipe()
        let writer = LogWriter(descriptor: pipe.writer)
        var log = logger(writer)
        log[metadataKey: "b"] = "2"
        log.info("ready", metadata: ["a": "1"])
        log.debug("not at this level")
        writer.finish()
        close(pipe.writer)
        let lines = pipe.readToEnd()
        #expect(lines.count == 1)
        let line = try #require(lines.first)
        #expect(line.hasSuffix("Z level=info event=ready msg=ready logger=crema a=1 b=2"))
        #expect(line.prefix(29).wholeMatch(of: /time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    }

    @Test("Threat 53: a name that a client chose is one value of one field, whatever is in it")
    func quoting() throws {
        let pipe = try Pipe()
        let writer = LogWriter(descriptor: pipe.writer)
        let log = logger(writer)
        log.info("m", metadata: ["a": "bob peer=1.2.3.4 principal=admin", "b": "x\"y\\", "c": "", "d": "a=b", "e": "a\\b", "f": "é"])
        writer.finish()
        close(pipe.writer)
        let line = try #require(pipe.readToEnd().first)
        #expect(line.hasSuffix(#"msg=m logger=crema a="bob peer=1.2.3.4 principal=admin" b="x\"y\\" c="" d="a=b" e=a\b f=é"#))
    }

    @Test("The time is UTC, with leading zeros")
    func time() {
        var clock = LogLine.Clock()
        var text: [UInt8] = []
        for time in [(951_868_799, 7), (951_868_799, 999), (951_868_800, 0)] {
            clock.append(LogLine.Time(seconds: time.0, milliseconds: time.1), to: &text)
            text.append(UInt8(ascii: " "))
        }
        #expect(String(decoding: text, as: UTF8.self) == "2000-02-29T23:59:59.007Z 2000-02-29T23:59:59.999Z 2000-03-01T00:00:00.000Z ")
    }

    @Test("The first line is written at once, those after it together, at the latest at the end")
    func gathering() throws {
        let pipe = try Pipe()
        let writer = LogWriter(descriptor: pipe.writer, gatherMilliseconds: 600_000)
        let log = logger(writer)
        log.info("first")
        var bytes = [UInt8](repeating: 0, count: 1_000)
        let first = String(decoding: bytes[..<read(pipe.reader, &bytes, bytes.count)], as: UTF8.self)
        #expect(first.hasSuffix("msg=first logger=crema\n"))
        for number in 0..<100 { log.info("\(number)") }
        try #require(fcntl(pipe.reader, F_SETFL, O_NONBLOCK) == 0)
        #expect(read(pipe.reader, &bytes, bytes.count) == -1)
        try #require(fcntl(pipe.reader, F_SETFL, 0) == 0)
        writer.finish(seconds: 60)
        close(pipe.writer)
        #expect(pipe.readToEnd().map { $0.split(separator: " ")[3] } == (0..<100).map { "msg=\($0)" })
    }

    @Test("Whoever logs does not wait for a reader that stands still: what is too much is dropped, counted and told")
    func nobodyReads() throws {
        let pipe = try Pipe()
        let writer = LogWriter(descriptor: pipe.writer, linesWaitingMax: 100)
        let log = logger(writer)
        let text = String(repeating: "x", count: 1_000)
        for number in 0..<2_000 { log.info("\(number) \(text)") }  // more than pipe and writer hold
        #expect(writer.dropped > 0)
        // A queue of its own has a thread of its own: those that tests run on may all be busy for longer than the writer is waited for.
        let read = Mutex<[String]>([])
        let isRead = DispatchSemaphore(value: 0)
        DispatchQueue(label: "reader").async {
            let lines = pipe.readToEnd()
            read.withLock { $0 = lines }
            isRead.signal()
        }
        writer.finish(seconds: 60)
        close(pipe.writer)
        isRead.wait()
        let lines = read.withLock { $0 }
        let told = lines.filter { $0.contains("log lines were dropped") }
        #expect(!told.isEmpty)
        #expect(UInt64(lines.count - told.count) + writer.dropped == 2_000)
    }
}
