import Foundation
import MQTTCodec
import NIOCore
import Testing

/// Whether the vectors and tests leave anything of the codec out.
@Suite struct CoverageTests {
    private static let sources = CodecVector.folder.appending(path: "../../../Sources/MQTTCodec").standardizedFileURL
    private static let tests = CodecVector.folder.deletingLastPathComponent()

    private func texts(in folder: URL) throws -> [String] {
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
        return try files.filter { $0.pathExtension == "swift" }.map { try String(contentsOf: $0, encoding: .utf8) }
    }

    private func statements(in texts: [String]) -> Set<String> {
        texts.reduce(into: []) { found, text in found.formUnion(text.matches(of: /MQTT5?-\d+\.\d+\.\d+-\d+/).map { String($0.output) }) }
    }

    @Test func everyStatementThatTheCodecNamesHasAVectorOrATest() throws {
        let named = statements(in: try texts(in: Self.sources))
        let vectors = Set(CodecVector.all.flatMap { $0.statements ?? [] })
        let tested = vectors.union(statements(in: try texts(in: Self.tests)))
        #expect(named.count > 100, "the sources were not found")
        #expect(named.subtracting(tested).sorted() == [])
    }

    @Test func everyDecodeErrorHasAVector() throws {
        let file = try String(contentsOf: Self.sources.appending(path: "DecodeError.swift"), encoding: .utf8)
        let cases = Set(file.matches(of: /\n    case ([a-zA-Z0-9]+)/).map { String($0.output.1) })
        let expected = Set(CodecVector.all.compactMap { $0.error?.split(separator: "(").first.map(String.init) })
        #expect(cases.count > 20, "the sources were not found")
        #expect(cases.subtracting(expected).sorted() == [])
        #expect(expected.subtracting(cases).sorted() == [])
    }

    /// The vectors of MQTT 3.1 have only what differs in it.
    @Test(arguments: [ProtocolVersion.v311, .v5])
    func everyPacketTypeHasAVectorThatDecodesAndOneThatDoesNot(version: ProtocolVersion) {
        let vectors = CodecVector.all.filter { $0.version == version }
        for type in PacketType.allCases where type != .auth || version == .v5 {
            #expect(vectors.contains { $0.packet?.hasPrefix(type.name) == true }, "\(type.name)")
            #expect(
                vectors.contains { $0.error?.contains("(\(type.name)") == true || $0.error?.hasSuffix("\(type.name))") == true },
                "\(type.name)")
        }
    }

    @Test func everyErrorSaysInASentenceWhatIsWrong() throws {
        var descriptions: Set<String> = []
        let failing = CodecVector.all.filter { $0.error != nil }
        for vector in failing {
            guard case .failure(let error) = ReadResult(try vector.bytes, try vector.reading) else { continue }
            descriptions.insert("\(error)")
            #expect("\(error)".count > 15)
        }
        #expect(descriptions.count == Set(failing.map(\.error)).count, "two errors read alike")
    }
}
