import Rules
import Testing

@Suite struct CaselessTextTests {
    /// Rules are found by a folded form: it must bring together whatever the pattern's own comparison takes for equal.
    @Test func everyCharacterIsFoundInEitherCase() throws {
        var index = PatternIndex()
        var cased: [(number: Int, texts: Set<String>)] = []
        for value in UInt32(0x41)...0xFFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let (lower, upper) = (scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping)
            guard lower != upper || lower != "\(scalar)" else { continue }
            let number = Int(value)
            index.insert(try EventPattern(parsing: Array("{\"a\":[{\"equals-ignore-case\":\"x\(scalar)\"}]}".utf8)), for: number)
            cased.append((number, [lower, upper]))
        }
        #expect(cased.count > 2_000)
        var search = EventSearch()
        for (number, texts) in cased {
            for text in texts {
                let found = index.matches(Array("{\"a\":\"X\(text)\"}".utf8), using: &search)
                #expect(found.contains(number), "U+\(String(number, radix: 16)) as \(text)")
            }
        }
    }
}
