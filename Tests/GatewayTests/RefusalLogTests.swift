import CremaTesting
import Gateway
import Logging
import Testing

@Suite(.timeLimit(.minutes(1))) struct RefusalLogTests {
    @Test(
        "A refused request is in the log",
        arguments: [
            ("POST /nothing?X-Amz-Signature=secret HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST", "/nothing", "404", "Not Found"),
            ("POST /order HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n{", "POST", "/order", "400", "cannot be read"),
            (
                "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AWSEvents.ListEndpoints\r\n\r\n", "POST", "/", "400",
                "ListEndpoints is not supported"
            ),
            ("GET /a HTTP/1.1\r\n\r\n", "GET", "/a", "400", "no Host field"),
            ("rubbish\r\n\r\n", "-", "-", "400", "malformed"),
        ])
    func aRefusalIsLogged(request: String, method: String, path: String, status: String, reason: String) async throws {
        let log = LogRecorder()
        try await RunningGateway.with(log: log.logger) { gateway in
            _ = try await gateway.exchange(Array(request.utf8))
            let line = await log.next("request refused")
            #expect(line?.level == .notice)
            #expect(line?.metadata["method"] == method)
            #expect(line?.metadata["path"] == path)
            #expect(line?.metadata["status"] == status)
            #expect(line?.metadata["reason"]?.contains(reason) == true, "\(line?.metadata ?? [:])")
            #expect(line?.metadata["peer"]?.hasPrefix("127.0.0.1:") == true)
            #expect(gateway.fixture.counters.counts.map { "\($0.status)" } == [status])
        }
    }

    @Test func ofManyRefusalsTheLogHasOneLineASecondAndTheirNumber() async throws {
        let log = LogRecorder()
        try await RunningGateway.with(log: log.logger) { gateway in
            let request = String(repeating: "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 20)
            let last = "GET /last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            let answers = try await gateway.exchangeAll(Array((request + last).utf8))
            #expect(answers.ranges(of: "HTTP/1.1 404").count == 21)
            var lines = 0
            var leftOut = 0
            for await line in log.lines {
                if line.message == "request refused" { lines += 1 }
                if line.message == "lines left out" {
                    #expect(line.metadata["subject"] == "404 127.0.0.1")
                    leftOut += line.metadata["count"].flatMap { Int($0) } ?? 0
                }
                if lines + leftOut == 21 { break }
            }
            #expect(lines < 21)
        }
    }
}
