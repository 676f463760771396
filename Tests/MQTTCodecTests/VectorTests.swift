import MQTTCodec
import NIOCore
import Testing

/// Every vector, read in every way in which its bytes may arrive.
@Suite struct VectorTests {
    private static let vectors = CodecVector.all

    private func read(_ buffer: inout ByteBuffer, as vector: CodecVector) throws -> ReadResult {
        ReadResult(from: &buffer, try vector.reading)
    }

    private func expectation(of vector: CodecVector) -> String {
        vector.packet ?? vector.error ?? ReadResult.needsMore.description
    }

    @Test(arguments: vectors)
    func decodesAtOnce(_ vector: CodecVector) throws {
        #expect([vector.packet != nil, vector.error != nil, vector.incomplete == true].filter { $0 }.count == 1)
        var buffer = ByteBuffer(bytes: try vector.bytes)
        let whole = buffer
        let result = try read(&buffer, as: vector)
        #expect(result.description == expectation(of: vector))
        if vector.packet != nil { #expect(buffer.readableBytes == 0) }
        if vector.incomplete == true { #expect(buffer == whole, "bytes were taken though there is no packet") }
    }

    @Test(arguments: vectors)
    func decodesByteByByte(_ vector: CodecVector) throws {
        let bytes = try vector.bytes
        var buffer = ByteBuffer()
        var result = ReadResult.needsMore
        var fed = 0
        // A long field is fed in larger steps in its middle, where every byte is like the one before.
        while result == .needsMore, fed < bytes.count {
            let step = fed > 300 && bytes.count - fed > 300 ? 251 : 1
            buffer.writeBytes(bytes[fed..<fed + step])
            fed += step
            result = try read(&buffer, as: vector)
        }
        #expect(result.description == expectation(of: vector))
        if vector.packet != nil { #expect(fed == bytes.count, "the packet was there before its last byte") }
    }

    @Test(arguments: vectors)
    func decodesTwiceInARow(_ vector: CodecVector) throws {
        // An incomplete packet would swallow what follows it; it is read behind a whole one only.
        var buffer = ByteBuffer(bytes: [0xC0, 0x00])
        buffer.writeBytes(try vector.bytes)
        if vector.packet != nil { buffer.writeBytes(try vector.bytes) }
        #expect(try read(&buffer, as: vector) == .packet(.pingreq))
        #expect(try read(&buffer, as: vector).description == expectation(of: vector))
        if vector.packet != nil {
            #expect(try read(&buffer, as: vector).description == expectation(of: vector))
            #expect(buffer.readableBytes == 0)
        }
    }

    @Test(arguments: vectors.filter { $0.packet != nil })
    func encodesToTheSameBytes(_ vector: CodecVector) throws {
        var buffer = ByteBuffer(bytes: try vector.bytes)
        guard case .packet(let packet) = try read(&buffer, as: vector) else {
            Issue.record("the vector does not decode")
            return
        }
        var written = ByteBuffer()
        let version = try vector.reading.version
        packet.encode(into: &written, version: version)
        let expected = try vector.reencoded.map(CodecVector.bytes) ?? vector.bytes
        #expect(Array(written.readableBytesView) == expected)
        #expect(packet.encodedSize(version: version) == expected.count)
    }

    @Test(arguments: vectors.filter { $0.packet != nil })
    func everyProperPrefixNeedsMoreBytes(_ vector: CodecVector) throws {
        let bytes = try vector.bytes
        for count in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 512)) {
            var buffer = ByteBuffer(bytes: bytes[..<count])
            #expect(try read(&buffer, as: vector) == .needsMore)
        }
    }
}
