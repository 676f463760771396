// The mathematical functions of the C library, each by its name: rules ask the system for nothing else.
import func Glibc.acos
import func Glibc.asin
import func Glibc.atan
import func Glibc.atan2
import func Glibc.cos
import func Glibc.cosh
import func Glibc.exp
import func Glibc.log
import func Glibc.log10
import func Glibc.pow
import func Glibc.sin
import func Glibc.sinh
import func Glibc.sqrt
import func Glibc.tan
import func Glibc.tanh

/// Functions of numbers; strings that spell numbers are numbers to them.
extension SQLFunction {
    static let numeric: [SQLFunction] =
        [
            exact("abs") { $0.magnitude.marked(asDecimal: $0.isDecimal) },
            exact("ceil") { $0.rounded(.up).marked(asDecimal: false) },
            exact("floor") { $0.rounded(.down).marked(asDecimal: false) },
            exact("round") { $0.rounded(.nearest).marked(asDecimal: false) },
            exact("sign") { SQLNumber($0.isZero ? 0 : $0.isNegative ? -1 : 1) },
            SQLFunction("trunc", 2) { _, arguments throws(SQLEvaluationError) in
                guard let number = arguments[0].decimal, let places = arguments[1].decimal?.floorPosition else { return .undefined }
                return .number(number.rounded(.towardZero, places: min(max(places, 0), SQLNumber.digitsMax)))
            },
            remainder("mod"), remainder("remainder"),
            SQLFunction("nanvl", 2) { _, arguments throws(SQLEvaluationError) in
                arguments[0].isUndefined || arguments[0].isNull ? arguments[1] : arguments[0]
            },
            SQLFunction("rand", 0) { evaluation, _ throws(SQLEvaluationError) in
                // The 53 bits that a fraction of double precision has.
                SQLNumber(Double(evaluation.input.environment.random() >> 11) / 9_007_199_254_740_992).map(SQLValue.number) ?? .undefined
            },
            double("acos", acos), double("asin", asin), double("atan", atan), double("cos", cos), double("cosh", cosh), double("exp", exp),
            double("ln", log), double("log", log10), double("sin", sin), double("sinh", sinh), double("sqrt", sqrt), double("tan", tan),
            double("tanh", tanh),
            doubles("atan2", atan2), doubles("power", pow),
            bits("bitand") { $0 & $1 }, bits("bitor") { $0 | $1 }, bits("bitxor") { $0 ^ $1 },
            SQLFunction("bitnot", 1) { _, arguments throws(SQLEvaluationError) in
                arguments[0].decimal?.bits.flatMap { SQLNumber(bits: ~$0) }.map(SQLValue.number) ?? .undefined
            },
        ]

    private static func exact(_ name: String, _ compute: @escaping @Sendable (SQLNumber) -> SQLNumber) -> SQLFunction {
        SQLFunction(name, 1) { _, arguments throws(SQLEvaluationError) in
            arguments[0].decimal.map { .number(compute($0)) } ?? .undefined
        }
    }

    private static func remainder(_ name: String) -> SQLFunction {
        SQLFunction(name, 2) { evaluation, arguments throws(SQLEvaluationError) in
            try evaluation.apply(.remainder, arguments[0], arguments[1])
        }
    }

    /// Of double precision; what has no real value is Undefined.
    private static func double(_ name: String, _ compute: @escaping @Sendable (Double) -> Double) -> SQLFunction {
        SQLFunction(name, 1) { _, arguments throws(SQLEvaluationError) in
            guard let number = arguments[0].decimal else { return .undefined }
            return SQLNumber(compute(number.double)).map(SQLValue.number) ?? .undefined
        }
    }

    private static func doubles(_ name: String, _ compute: @escaping @Sendable (Double, Double) -> Double) -> SQLFunction {
        SQLFunction(name, 2) { _, arguments throws(SQLEvaluationError) in
            guard let first = arguments[0].decimal, let second = arguments[1].decimal else { return .undefined }
            return SQLNumber(compute(first.double, second.double)).map(SQLValue.number) ?? .undefined
        }
    }

    private static func bits(_ name: String, _ compute: @escaping @Sendable (Int128, Int128) -> Int128) -> SQLFunction {
        SQLFunction(name, 2) { _, arguments throws(SQLEvaluationError) in
            guard let first = arguments[0].decimal?.bits, let second = arguments[1].decimal?.bits else { return .undefined }
            return SQLNumber(bits: compute(first, second)).map(SQLValue.number) ?? .undefined
        }
    }
}
