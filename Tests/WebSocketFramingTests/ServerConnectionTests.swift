import CremaTesting
import NIOCore
import NIOWebSocket
import Testing

@testable import WebSocketFraming

@Suite struct ServerConnectionTests {
    /// The connection by reference, fed with whole buffers.
    final class Talk {
        private var connection: ServerConnection
        private var payload = ByteBuffer()

        init(takesText: Bool = false) { connection = ServerConnection(frameBytesMax: 1_000, takesText: takesText) }

        func receive(_ bytes: [UInt8]) -> [ServerConnection.Action] {
            var input = ByteBuffer(bytes: bytes)
            var actions: [ServerConnection.Action] = []
            while let action = connection.next(from: &input, appendingPayloadTo: &payload) { actions.append(action) }
            return actions
        }

        func close(_ status: CloseStatus) -> ByteBuffer? { connection.close(status) }
        var isOpen: Bool { connection.isOpen }
        var bytes: [UInt8] { Array(payload.readableBytesView) }
    }

    @Test func aPingIsAnsweredWithWhatItCarries() {
        let talk = Talk()
        let payload = Array(UInt8(0)..<125)
        #expect(talk.receive(WebSocketBytes.frame(WebSocketBytes.ping, payload)) == [.pong(ByteBuffer(bytes: [0x8A, 125] + payload))])
        #expect(talk.receive(WebSocketBytes.frame(WebSocketBytes.pong, payload)) == [])
    }

    @Test(arguments: [nil, 1_000, 4_000] as [UInt16?])
    func aCloseIsAnsweredWithItsStatusAndNothingIsReadAfterIt(code: UInt16?) {
        let talk = Talk()
        let close = code.map { WebSocketBytes.closing($0, "bye") } ?? WebSocketBytes.frame(WebSocketBytes.close)
        let echo: [UInt8] = code.map { [0x88, 2, UInt8($0 >> 8), UInt8($0 & 0xFF)] } ?? [0x88, 0]
        #expect(talk.receive(close + WebSocketBytes.frame(WebSocketBytes.binary, [1])) == [.end(ByteBuffer(bytes: echo))])
        #expect(talk.receive(WebSocketBytes.frame(WebSocketBytes.binary, [2])) == [])
        #expect(talk.bytes == [] && !talk.isOpen)
        #expect(talk.close(.normal) == nil)
    }

    @Test func afterTheServersCloseOnlyTheClientsIsWaitedFor() {
        let talk = Talk()
        #expect(talk.close(.goingAway) == ByteBuffer(bytes: [0x88, 2, 3, 0xE9]))
        #expect(talk.close(.goingAway) == nil)
        let late = WebSocketBytes.frame(WebSocketBytes.binary, [1]) + WebSocketBytes.frame(WebSocketBytes.ping, [1])
        #expect(talk.receive(late) == [])
        #expect(talk.bytes == [])
        #expect(talk.receive(WebSocketBytes.closing(1_001)) == [.end(nil)])
    }

    @Test func aViolationEndsTheConnectionWithItsStatusOnce() {
        let talk = Talk()
        let text = WebSocketBytes.frame(WebSocketBytes.text, Array("hello".utf8))
        #expect(talk.receive(text) == [.fail(.textMessage, ByteBuffer(bytes: [0x88, 2, 3, 0xEB]))])  // [MQTT-6.0.0-1] [MQTT5-6.0.0-1]
        #expect(talk.receive(text) == [])
        #expect(!talk.isOpen && talk.bytes == [])
    }

    @Test(
        "Each violation has its status",
        arguments: [
            (.frameTooLarge(bytes: 9, limit: 1), 1_009), (.closeReason, 1_007), (.textMessage, 1_003), (.unmaskedFrame, 1_002),
            (.reservedBits, 1_002), (.reservedOpcode(3), 1_002), (.closeStatus, 1_002), (.lengthEncoding, 1_002),
        ] as [(WebSocketViolation, UInt16)])
    func status(violation: WebSocketViolation, code: UInt16) { #expect(violation.status.code == code) }

    @Test func aViolationAfterTheServersCloseIsItsEnd() {
        let talk = Talk()
        _ = talk.close(.normal)
        #expect(talk.receive(WebSocketBytes.frame(0x3)) == [.end(nil)])
    }

    @Test func textIsTakenWhereItIsToBe() {
        let talk = Talk(takesText: true)
        #expect(talk.receive(WebSocketBytes.frame(WebSocketBytes.text, [0x61])) == [.messageBegan(.text), .messageEnded])
        #expect(talk.bytes == [0x61])
    }
}
