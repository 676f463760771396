import Testing

@testable import Rules

/// An event read from its bytes has the fields that it has when it is parsed, also where keys have dots, come twice or do both.
@Suite struct EventReaderTests {
    private static let patterns = ["a", "b", "a.a", "a.b", "b.a", "a.b.a", "a.", ".a", ""].flatMap { path in
        [0, 1, 2, 3].map { #"{"\#(path)":[\#($0)]}"# }
    }

    private func index() throws -> (index: PatternIndex, patterns: [EventPattern]) {
        var index = PatternIndex()
        let patterns = try Self.patterns.map { try EventPattern(parsing: Array($0.utf8)) }
        for (number, pattern) in patterns.enumerated() { index.insert(pattern, for: number) }
        return (index, patterns)
    }

    private static func object(_ random: inout SeededGenerator, depth: Int) -> String {
        let members = (0..<Int.random(in: 0...6, using: &random)).map { _ -> String in
            let key = ["a", "b", "a.b", "b.a", "a.b.a", "a.", ".a", "", "c.d", "\\u0061.b"][Int.random(in: 0..<10, using: &random)]
            let isScalar = depth == 0 || Bool.random(using: &random)
            let value = isScalar ? "\(Int.random(in: 0...3, using: &random))" : object(&random, depth: depth - 1)
            return "\"\(key)\":\(Int.random(in: 0..<5, using: &random) == 0 ? "[\(value)]" : value)"
        }
        return "{\(members.joined(separator: ","))}"
    }

    @Test func readAndParsedEventsHaveTheSameFields() throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededGenerator(seed: seed)
        let (index, patterns) = try index()
        var search = EventSearch()
        var found = 0
        for _ in 0..<4_000 {
            let event = Array(Self.object(&random, depth: 2).utf8)
            let document = try JSONDocument(parsing: event).root
            let expected = patterns.indices.filter { patterns[$0].matches(document) }
            #expect(index.matches(event, using: &search).sorted() == expected, "seed \(seed): \(text(event))")
            found += expected.count
        }
        #expect(found > 1_000)
    }

    @Test(arguments: [
        (#"{"a.b":1,"a":{"b":2},"a.b":3}"#, [2, 3]), (#"{"a":{"b":2},"a.b":1}"#, [1, 2]), (#"{"a.b":1,"a.b":2}"#, [2]),
        (#"{"a":{"b":1,"b":2}}"#, [2]), (#"{"a":{"b":1,"b":2,"b":3}}"#, [3]), (#"{"a":{"b":1,"c":5,"b":2}}"#, [2]),
        (#"{"a":{"b":[1],"b":2}}"#, [2]), (#"{"a":{"b":1,"b":[2,3]}}"#, [2, 3]), (#"{"a":[{"b":1,"b":2},{"b":3,"b":1}]}"#, [1, 2]),
        (#"{"a":{"b":1,"b":{}}}"#, []), (#"{"a":{"b":{},"b":1}}"#, [1]), (#"{"a":1,"a":{"b":2}}"#, [2]), (#"{"a":{"b":2},"a":1}"#, []),
        (#"{"a":{"b":1},"a":{"b":2},"a.b":3}"#, [2, 3]), (#"{"a.b":[1,2],"a":[{"b":3}]}"#, [1, 2, 3]), (#"{"a.c":1,"a.b":2}"#, [2]),
    ])
    func aKeyWithDotsIsAKeyOfItsOwn(event: String, values: [Int]) throws {
        var index = PatternIndex()
        for value in 0...3 { index.insert(try EventPattern(parsing: Array("{\"a\":{\"b\":[\(value)]}}".utf8)), for: value) }
        var search = EventSearch()
        #expect(index.matches(Array(event.utf8), using: &search).sorted() == values)
    }

    @Test func anEventMayHaveManyKeysWithDots() throws {
        var index = PatternIndex()
        for number in 0..<40 { index.insert(try EventPattern(parsing: Array("{\"k\(number)\":{\"x\":[1]}}".utf8)), for: number) }
        var search = EventSearch()
        let event = "{" + (0..<40).map { "\"k\($0).x\":1" }.joined(separator: ",") + "}"
        #expect(index.matches(Array(event.utf8), using: &search).sorted() == Array(0..<40))
    }
}

/// Numbers and addresses of events, found among those of many rules.
@Suite struct NumberAndAddressTests {
    /// Whether the service can compare a number, told by its digits alone: the decimal is the shortest text of its double.
    private func comparable(_ text: String) -> Double? {
        func parts(_ text: String) -> (isNegative: Bool, digits: [Character], exponent: Int) {
            let pieces = text.lowercased().split(separator: "e")
            var mantissa = pieces[0]
            let isNegative = mantissa.first == "-"
            if isNegative { mantissa = mantissa.dropFirst() }
            let fraction = mantissa.split(separator: ".").dropFirst().first ?? ""
            var digits = Array(mantissa.filter { $0 != "." })
            var exponent = (pieces.count > 1 ? Int(pieces[1]) ?? 0 : 0) - fraction.count
            digits = Array(digits.drop { $0 == "0" })
            while digits.last == "0" {
                digits.removeLast()
                exponent += 1
            }
            return digits.isEmpty ? (false, [], 0) : (isNegative, digits, exponent)
        }
        guard let double = Double(text), double.isFinite else { return nil }
        return parts("\(double)") == parts(text) ? double : nil
    }

    @Test func numbersAreComparableWhereTheirDoubleSpellsThem() {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededGenerator(seed: seed)
        func digits(_ count: ClosedRange<Int>) -> String {
            String(
                (0..<Int.random(in: count, using: &random)).map { _ in
                    "0001234567899"["0001234567899".indices.randomElement(using: &random)!]
                })
        }
        var found = 0
        for _ in 0..<20_000 {
            let whole = Bool.random(using: &random) ? "0" : "\(Int.random(in: 1...9, using: &random))" + digits(0...20)
            let fraction = Bool.random(using: &random) ? "." + digits(1...20) : ""
            let exponent = Int.random(in: 0..<3, using: &random) == 0 ? "e\(Int.random(in: -330...310, using: &random))" : ""
            let text = (Bool.random(using: &random) ? "-" : "") + whole + fraction + exponent
            let expected = comparable(text)
            let result = NumberKey.comparable(ArraySlice(text.utf8))
            #expect(result == expected, "seed \(seed): \(text)")
            if expected != nil { found += 1 }
        }
        #expect(found > 1_000)
    }

    @Test(arguments: [
        "0", "-0", "0.0", "0e5", "-0.000", "1", "10", "100000000000000000000000", "1e22", "1e23", "123456789012345e22",
        "123456789012345e-22",
        "9007199254740992", "9007199254740993", "0.1", "0.30000000000000004", "0.3000000000000000400", "1.7976931348623157e308", "5e-324",
        "2.2250738585072014e-308", "1e400", "1e-400", "4.9e-324", "12345678901234567", "123456789012345678", "100000000000000001",
        "1e1000001",
    ])
    func numbersAtTheEdges(text: String) {
        #expect(NumberKey.comparable(ArraySlice(text.utf8)) == comparable(text))
    }

    /// Blocks of all sizes around a few addresses, so that they nest, and addresses beside them.
    @Test func addressesFindTheNetworksAroundThem() throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededGenerator(seed: seed)
        func address() -> String {
            if Bool.random(using: &random) {
                return (0..<4).map { _ in "\([0, 1, 10, 127, 128, 255].randomElement(using: &random) ?? 0)" }.joined(separator: ".")
            }
            return (0..<8).map { _ in ["0", "1", "f000", "ff", "8000"].randomElement(using: &random) ?? "0" }.joined(separator: ":")
        }
        var found = 0
        for _ in 0..<20 {
            var index = PatternIndex()
            var ranges: [AddressRange] = []
            for number in 0..<60 {
                let base = address()
                let bits = Int.random(in: 0..<(base.contains(":") ? 128 : 32), using: &random)
                let block = "\(base)/\(bits)"
                index.insert(try EventPattern(parsing: Array("{\"a\":[{\"cidr\":\"\(block)\"}]}".utf8)), for: number)
                ranges.append(try AddressRange(parsing: ArraySlice(block.utf8)))
            }
            for number in stride(from: 0, to: 60, by: 7) { index.remove(number) }
            var search = EventSearch()
            for count in [1, 3, 40] {
                let values = (0..<count).map { _ in address() } + ["no address", "::"]
                let event = "{\"a\":[" + values.map { "\"\($0)\"" }.joined(separator: ",") + "]}"
                let expected = ranges.indices.filter { number in
                    number % 7 != 0 && values.contains { ranges[number].contains(ArraySlice($0.utf8)) }
                }
                #expect(index.matches(Array(event.utf8), using: &search).sorted() == expected, "seed \(seed): \(event)")
                found += expected.count
            }
        }
        #expect(found > 100)
    }

    /// Small sets and large ones do the same.
    @Test func setsOfFieldsAgree() {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let (first, second) = (UInt64.random(in: .min ... .max, using: &random), UInt64.random(in: .min ... .max, using: &random))
            func members<Fields: FieldSet>(_ type: Fields.Type) -> [[Int]] {
                func set(_ bits: UInt64) -> Fields {
                    var fields = Fields()
                    for bit in 0..<64 where bits >> UInt64(bit) & 1 == 1 { fields.insert(bit) }
                    return fields
                }
                let (left, right) = (set(first), set(second))
                let results = [left | right, left & right, left - right, left.above(Int(second & 63)), Fields.none, set(second).above(63)]
                return results.map { fields in (0..<64).filter(fields.contains) + (fields.first.map { [$0] } ?? [fields.isEmpty ? -1 : -2])
                }
            }
            #expect(members(SmallFieldMask.self) == members(FieldMask.self), "seed \(seed)")
        }
    }
}
