import Foundation
import MQTTCodec
import NIOCore
import Testing

/// The inputs that the fuzzer keeps in `Tests/Fuzzing/Corpus`, tried again in every run of the tests.
@Suite struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fuzzing/Corpus/PacketDecoder")

    private func read(_ bytes: [UInt8], stepBytes: Int) -> [ReadResult] {
        var buffer = ByteBuffer()
        var results: [ReadResult] = []
        for start in stride(from: 0, to: bytes.count, by: stepBytes) {
            buffer.writeBytes(bytes[start..<min(start + stepBytes, bytes.count)])
            var result = ReadResult(from: &buffer, packetBytesMax: 2_048, filtersMax: 16)
            while case .packet = result {
                results.append(result)
                result = ReadResult(from: &buffer, packetBytesMax: 2_048, filtersMax: 16)
            }
            if case .failure = result { return results + [result] }
        }
        return results
    }

    @Test func everyKeptInputIsReadTheSameAtOnceAndByteByByte() throws {
        let inputs = try FileManager.default.contentsOfDirectory(at: Self.folder, includingPropertiesForKeys: nil)
        #expect(inputs.count > 50, "the corpus was not found")
        var packets = 0
        for input in inputs {
            let bytes = Array(try Data(contentsOf: input))
            let whole = read(bytes, stepBytes: max(1, bytes.count))
            #expect(read(bytes, stepBytes: 1) == whole, "\(input.lastPathComponent)")
            for case .packet(let packet) in whole {
                packets += 1
                var written = ByteBuffer()
                packet.encode(into: &written)
                #expect(ReadResult(from: &written) == .packet(packet), "\(input.lastPathComponent)")
            }
        }
        #expect(packets > 100)
    }
}
