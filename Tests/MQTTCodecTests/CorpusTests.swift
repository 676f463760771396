import Foundation
import MQTTCodec
import NIOCore
import Testing

/// The inputs that the fuzzer keeps in `Tests/Fuzzing/Corpus`, tried again in every run of the tests.
@Suite struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fuzzing/Corpus/PacketDecoder")

    private func read(_ bytes: [UInt8], stepBytes: Int, _ reading: Reading) -> [ReadResult] {
        var buffer = ByteBuffer()
        var results: [ReadResult] = []
        for start in stride(from: 0, to: bytes.count, by: stepBytes) {
            buffer.writeBytes(bytes[start..<min(start + stepBytes, bytes.count)])
            var result = ReadResult(from: &buffer, reading)
            while case .packet = result {
                results.append(result)
                result = ReadResult(from: &buffer, reading)
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
            // The first byte says how the others are read: the same rule as the fuzzer's.
            let all = Array(try Data(contentsOf: input))
            guard let first = all.first else { continue }
            let bytes = Array(all.dropFirst())
            let version: ProtocolVersion = first & 1 == 1 ? .v5 : first & 4 == 0 ? .v311 : .v31
            var reading = Reading(version: version, sender: first & 2 == 0 ? .client : .server, packetBytesMax: 2_048)
            reading.limits = DecodingLimits(filtersMax: 16, userPropertiesMax: 8, propertyBytesMax: 1_024)
            let whole = read(bytes, stepBytes: max(1, bytes.count), reading)
            #expect(read(bytes, stepBytes: 1, reading) == whole, "\(input.lastPathComponent)")
            for case .packet(let packet) in whole {
                packets += 1
                var written = ByteBuffer()
                packet.encode(into: &written, version: reading.version)
                #expect(ReadResult(from: &written, reading) == .packet(packet), "\(input.lastPathComponent)")
            }
        }
        #expect(packets > 100)
    }
}
