import AdminServer
import CremaTesting
import Logging
import Testing

/// What the listener for people shares with the one for programs, over a socket.
@Suite(.timeLimit(.minutes(1))) struct ListenerTests {
    @Test(
        "The connection ends with the refusal",
        arguments: [
            ("GET /livez HTTP/1.1\r\n\r\n", 400),
            ("GET /livez HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400),
            ("rubbish\r\n\r\n", 400),
            ("POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{", 405),
            ("POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n", 405),
        ])
    func aRefusalEndsTheConnection(request: String, status: Int) async throws {
        let log = LogRecorder()
        try await RunningListener.with(
            { onListening in
                let fixture = try InspectionFixture(log: log.logger, onListening: onListening)
                return (fixture, fixture.server)
            },
            { listener in
                let answer = try await listener.exchangeAll(Array(request.utf8))
                #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
                #expect(answer.ranges(of: "HTTP/1.1 4").count == 1, "\(answer)")
                #expect(await log.next("request refused")?.metadata["status"] == "\(status)")
            })
    }
}
