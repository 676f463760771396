import NIOCore

/// Carries a publisher's messages to a broker's `PutEvents` and not by MQTT.
///
/// What the publisher writes are PUBLISH packets at QoS 1; up to ten become one request, and a request's answer comes back as their PUBACKs.
/// One request is under way at a time, as with any client of HTTP/1.1.
final class PutEventsHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Entries of one request: EventBridge takes no more.
    private static let entriesMax = 10
    /// Bytes of one answer.
    private static let answerBytesMax = 65_536

    private let host: String
    private var waiting: [(identifier: UInt16, detail: [UInt8])] = []
    private var underWay: [UInt16] = []
    private var received = ByteBuffer()

    init(host: String) {
        self.host = host
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        promise?.succeed(())
        take(unwrapOutboundIn(data))
        send(context)
    }

    /// Takes the publisher's packets apart.
    ///
    /// They are this process's own: each is whole, and has a topic, an identifier and a payload. DISCONNECT has none of them.
    private func take(_ buffer: ByteBuffer) {
        var rest = buffer
        while let frame = try? PacketFrame.next(in: rest.readableBytesSpan, at: 0) {
            guard let packet = rest.readBytes(length: frame.end), frame.kind == 3 else { continue }
            let topicBytes = Int(packet[frame.bodyStart]) << 8 | Int(packet[frame.bodyStart + 1])
            let offset = frame.bodyStart + 2 + topicBytes
            waiting.append((UInt16(packet[offset]) << 8 | UInt16(packet[offset + 1]), Array(packet[(offset + 2)...])))
        }
    }

    private func send(_ context: ChannelHandlerContext) {
        guard underWay.isEmpty, !waiting.isEmpty else { return }
        let entries = waiting.prefix(Self.entriesMax)
        var body = ByteBuffer(string: #"{"Entries":["#)
        for (index, entry) in entries.enumerated() {
            if index > 0 { body.writeString(",") }
            let name = RulesTemplate.busName
            body.writeString(#"{"EventBusName":"\#(name)","Source":"\#(name)","DetailType":"\#(RulesTemplate.detailType)","Detail":""#)
            for byte in entry.detail {
                // The detail is JSON without backslashes and control characters: quotation marks are all there is to escape.
                if byte == 0x22 { body.writeInteger(UInt8(0x5C)) }
                body.writeInteger(byte)
            }
            body.writeString(#""}"#)
        }
        body.writeString("]}")
        underWay = entries.map(\.identifier)
        waiting.removeFirst(entries.count)
        var request = ByteBuffer(
            string: """
                POST / HTTP/1.1\r
                Host: \(host)\r
                X-Amz-Target: AWSEvents.PutEvents\r
                Content-Type: application/x-amz-json-1.1\r
                Content-Length: \(body.readableBytes)\r
                \r

                """)
        request.writeBuffer(&body)
        context.writeAndFlush(wrapOutboundOut(request), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        received.writeBuffer(&buffer)
        do throws(LoadError) {
            guard let answer = try Self.takeAnswer(from: &received) else { return }
            guard answer.status == 200, answer.body.contains(#""FailedEntryCount":0"#) else {
                throw .connectionLost("PutEvents was answered \(answer.status): \(answer.body.prefix(300))")
            }
        } catch {
            context.fireErrorCaught(error)
            context.close(promise: nil)
            return
        }
        var acknowledgements = ByteBuffer()
        for identifier in underWay { RawPackets.appendAcknowledgement(.publishAcknowledged, of: identifier, to: &acknowledgements) }
        underWay = []
        context.fireChannelRead(wrapInboundOut(acknowledgements))
        send(context)
    }

    /// Takes a whole answer with a body of known length off the front; `nil` when more bytes are needed.
    static func takeAnswer(from buffer: inout ByteBuffer) throws(LoadError) -> (status: Int, body: String)? {
        let bytes = buffer.readableBytesView
        let end: [UInt8] = [13, 10, 13, 10]
        guard bytes.count >= 4, let headEnd = bytes.indices.dropLast(3).first(where: { bytes[$0..<($0 + 4)].elementsEqual(end) }) else {
            guard bytes.count <= answerBytesMax else { throw .connectionLost("the answer to PutEvents has no end") }
            return nil
        }
        let lines = String(decoding: bytes[..<headEnd], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        let length = lines.dropFirst().first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { line in Int(line.split(separator: ":", maxSplits: 1)[1].filter { $0 != " " }) }
        guard words.count >= 2, let status = Int(words[1]), let length, (0...answerBytesMax).contains(length) else {
            throw .connectionLost("what answers PutEvents is not HTTP/1.1 with a Content-Length")
        }
        let total = headEnd - bytes.startIndex + 4 + length
        guard bytes.count >= total else { return nil }
        let body = String(decoding: bytes[(headEnd + 4)..<(headEnd + 4 + length)], as: UTF8.self)
        buffer.moveReaderIndex(forwardBy: total)
        return (status, body)
    }
}

extension Dialer {
    /// Opens a connection on which `successor`'s messages become calls of `PutEvents`; plain HTTP, without a signature.
    func openEvents(_ address: BrokerAddress, successor: PublisherConnection, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(successor, eventLoop: eventLoop)
        return connect(address, on: eventLoop) { channel in
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(PutEventsHandler(host: "\(address)"))
            try pipeline.addHandler(bound.value)
        }
    }
}
