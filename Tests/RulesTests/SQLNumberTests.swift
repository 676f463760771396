import Testing

@testable import Rules

@Suite struct SQLNumberTests {
    private func number(_ text: String) -> SQLNumber? { SQLNumber(ArraySlice(text.utf8)) }

    @Test(arguments: [
        ("0", "0"), ("-0", "0"), ("1", "1"), ("-12.50", "-12.5"), ("1e3", "1000"), ("100", "100"), ("0.001", "0.001"),
        ("1E-7", "0.0000001"), ("1E-8", "1E-8"),
        ("12345e-3", "12.345"), ("9999999999999999999999999999999999", "9999999999999999999999999999999999"), ("1e34", "1E34"),
        ("1.5e100", "1.5E100"),
        ("9.99e999", "9.99E999"), ("1e-999", "1E-999"), ("00012.0", "12"), ("0.000e5", "0"), ("0e99999", "0"),
    ])
    func textIsShort(source: String, expected: String) {
        #expect(number(source)?.text == expected)
    }

    @Test(arguments: ["1e1000", "1e-1000", "10e999", "1e99999999999999999999", "1e-99999999999999999999"])
    func magnitudesOutOfRangeAreNone(source: String) {
        #expect(number(source) == nil)
    }

    @Test(arguments: [
        // 34 digits and what follows them: half to even, and any rest past the half goes up.
        ("10000000000000000000000000000000005", "1E34"), ("10000000000000000000000000000000015", "1.000000000000000000000000000000002E34"),
        ("10000000000000000000000000000000005.0000000000000000000001", "1.000000000000000000000000000000001E34"),
        ("10000000000000000000000000000000004.9999999999999999999999", "1E34"), ("99999999999999999999999999999999995", "1E35"),
        ("0.33333333333333333333333333333333333333333", "0.3333333333333333333333333333333333"),
        ("123456789012345678901234567890123456789e-39", "0.1234567890123456789012345678901235"),
    ])
    func digitsPastThirtyFourAreRounded(source: String, expected: String) {
        #expect(number(source)?.text == expected)
    }

    @Test(arguments: [
        ("1", "+", "2", "3"), ("0.1", "+", "0.2", "0.3"), ("1", "-", "1", "0"), ("1e30", "+", "1e-30", "1000000000000000000000000000000"),
        ("1e33", "+", "1", "1000000000000000000000000000000001"),
        ("1e36", "-", "1234567890123456789012345678901234e-33", "1E36"), ("-5", "+", "3", "-2"), ("3", "-", "5", "-2"),
        ("1e999", "+", "1e-999", "1E999"), ("1", "-", "1e-40", "1"), ("7", "*", "6", "42"), ("-0.5", "*", "0.5", "-0.25"),
        ("1e500", "*", "1e499", "1E999"),
        ("9999999999999999999999999999999999", "*", "9999999999999999999999999999999999", "9.999999999999999999999999999999998E67"),
        ("1e500", "*", "1e500", "nil"), ("7", "/", "2", "3"), ("-7", "/", "2", "-3"), ("7.5", "/", "2.5", "3"),
        ("1.5", "/", "7", "0.2142857142857142857142857142857143"),
        ("1", "/", "3.5", "0.2857142857142857142857142857142857"), ("1", "/", "0", "nil"), ("0", "/", "3.5", "0"),
        ("1e999", "/", "1e-999", "nil"),
        ("7", "%", "4", "3"), ("-7", "%", "4", "-3"), ("7.5", "%", "2", "1.5"), ("7", "%", "0", "nil"), ("1e100", "%", "3", "nil"),
        ("5", "%", "-3", "2"),
        ("1e33", "%", "7", "6"),
    ])
    func arithmeticIsExactOrRounded(left: String, operation: String, right: String, expected: String) throws {
        let first = try #require(number(left))
        let second = try #require(number(right))
        let result =
            switch operation {
            case "+": first + second
            case "-": first - second
            case "*": first * second
            case "/": first / second
            default: first % second
            }
        #expect(result?.text ?? "nil" == expected)
    }

    /// Sums, differences, products and quotients computed by another implementation of decimals (Python's, 34 digits, half to even).
    @Test func arithmeticAgreesWithAnotherImplementation() throws {
        let vectors = Vectors.load("decimals.json")
        #expect(vectors.count == 240)
        for vector in vectors {
            let parts = vector.elements.compactMap(\.stringValue)
            let first = try #require(number(parts[0]))
            let second = try #require(number(parts[2]))
            let result =
                switch parts[1] {
                case "+": first + second
                case "-": first - second
                case "*": first * second
                default: first / second
                }
            #expect(result == number(parts[3]), "\(parts)")
        }
    }

    @Test func orderIsThatOfTheValues() throws {
        let ascending = [
            "-1e999", "-2", "-1.5", "-1", "-1e-999", "0", "1e-999", "0.5", "1", "1.000000000000000000000000000000001", "9", "10", "1e33",
            "1e999",
        ]
        let numbers = try ascending.map { try #require(number($0)) }
        for (left, first) in numbers.enumerated() {
            for (right, second) in numbers.enumerated() {
                #expect((first < second) == (left < right), "\(ascending[left]) < \(ascending[right])")
                #expect((first == second) == (left == right))
            }
        }
    }

    @Test func smallNumbersComputeAsIntegersDo() throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let left = Int64.random(in: -1_000_000_000...1_000_000_000, using: &random)
            let right = Int64.random(in: -40_000...40_000, using: &random)
            let (first, second) = (SQLNumber(left), SQLNumber(right))
            #expect((first + second)?.text == "\(left + right)", "seed \(seed)")
            #expect((first - second)?.text == "\(left - right)", "seed \(seed)")
            #expect((first * second)?.text == "\(left * right)", "seed \(seed)")
            #expect((first / second)?.text == (right == 0 ? nil : "\(left / right)"), "seed \(seed): \(left) / \(right)")
            #expect((first % second)?.text == (right == 0 ? nil : "\(left % right)"), "seed \(seed): \(left) % \(right)")
            #expect((first < second) == (left < right), "seed \(seed)")
        }
    }

    @Test func positionsAreWholeNumbersInRange() {
        #expect(number("3.0")?.position == 3)
        #expect(number("-3")?.position == -3)
        #expect(number("3.5")?.position == nil)
        #expect(number("1e30")?.position == nil)
        #expect(SQLNumber(Int64.min).text == "-9223372036854775808")
    }

    @Test(arguments: [
        ("1.5", 0, "2", "1", "2", "1"), ("-1.5", 0, "-2", "-2", "-1", "-1"), ("2.345", 2, "2.35", "2.34", "2.35", "2.34"),
        ("-0.001", 0, "0", "-1", "0", "0"), ("0.5", 0, "1", "0", "1", "0"), ("0.49", 0, "0", "0", "1", "0"), ("7", 0, "7", "7", "7", "7"),
        ("1E-999", 0, "0", "0", "1", "0"), ("1e40", 2, "1E40", "1E40", "1E40", "1E40"),
        (
            "9999999999999999999999999999999999e-1", 0, "1000000000000000000000000000000000", "999999999999999999999999999999999",
            "1000000000000000000000000000000000", "999999999999999999999999999999999"
        ),
        ("0.9999999999999999999999999999999999", 0, "1", "0", "1", "0"),
    ])
    func roundingIsExact(source: String, places: Int, nearest: String, down: String, up: String, towardZero: String) throws {
        let value = try #require(number(source))
        #expect(value.rounded(.nearest, places: places).text == nearest)
        #expect(value.rounded(.down, places: places).text == down)
        #expect(value.rounded(.up, places: places).text == up)
        #expect(value.rounded(.towardZero, places: places).text == towardZero)
    }

    @Test func doublesGoThereAndBack() throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let double = Double(bitPattern: UInt64.random(in: .min ... .max, using: &random))
            guard double.isFinite else { continue }
            #expect(try #require(SQLNumber(double)).double == double, "seed \(seed)")
        }
        #expect(SQLNumber(Double.nan) == nil)
        #expect(SQLNumber(Double.infinity) == nil)
        #expect(number("1e999")?.double == .infinity)
    }

    @Test func bitsAreThoseOfTheNumberBelow() {
        #expect(number("-1.5")?.bits == -2)
        #expect(number("9999999999999999999999999999999999")?.bits == 9_999_999_999_999_999_999_999_999_999_999_999)
        #expect(number("1e34")?.bits == nil)
        #expect(SQLNumber(bits: -14)?.text == "-14")
        #expect(number("1e300")?.floorPosition == .max)
        #expect(number("-2.411E247")?.floorPosition == .min)
    }
}
