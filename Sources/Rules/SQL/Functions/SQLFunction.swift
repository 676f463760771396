/// What a call is given, after conversion of nothing.
struct SQLArguments {
    private let values: [SQLValue]
    /// What was made of literal arguments at creation.
    let constant: SQLConstant?

    init(_ values: [SQLValue], _ constant: SQLConstant?) {
        self.values = values
        self.constant = constant
    }

    var count: Int { values.count }
    var all: [SQLValue] { values }

    /// Undefined where the call has fewer.
    subscript(position: Int) -> SQLValue { position < values.count ? values[position] : .undefined }
}

/// Why a literal argument is refused when the rule is created.
struct SQLArgumentProblem: Error {
    /// Counted from 0; beyond the last one for the call as a whole.
    let argument: Int
    let message: String
}

/// A function of the language: its name, how many arguments it takes, and what it makes of them.
///
/// Values of kinds that it cannot use give Undefined. A wrong number of arguments is refused at creation, where the service answers
/// Undefined for every message.
struct SQLFunction: Sendable {
    typealias Body = @Sendable (inout SQLEvaluation, SQLArguments) throws(SQLEvaluationError) -> SQLValue
    /// Checks the arguments that are literal strings, and makes of them what need not be made for each message.
    typealias Preparation = @Sendable ([ArraySlice<UInt8>?], SQLHost) throws(SQLArgumentProblem) -> SQLConstant?

    /// As the documentation spells it; any case is understood.
    let name: String
    let arguments: ClosedRange<Int>
    let since: SQLVersion
    let prepare: Preparation?
    let body: Body

    init(
        _ name: String, _ arguments: ClosedRange<Int>, since: SQLVersion = .v2015, prepare: Preparation? = nil, _ body: @escaping Body
    ) {
        self.name = name
        self.arguments = arguments
        self.since = since
        self.prepare = prepare
        self.body = body
    }

    init(_ name: String, _ count: Int, since: SQLVersion = .v2015, prepare: Preparation? = nil, _ body: @escaping Body) {
        self.init(name, count...count, since: since, prepare: prepare, body)
    }

    /// How a message says how many arguments there must be.
    var arity: String {
        let (least, most) = (arguments.lowerBound, arguments.upperBound)
        if most == 0 { return "no argument" }
        if least == most { return least == 1 ? "1 argument" : "\(least) arguments" }
        return most == .max ? "\(least) or more arguments" : "\(least) to \(most) arguments"
    }

    /// By their names in lower case.
    static let all: [String: SQLFunction] = {
        var table: [String: SQLFunction] = [:]
        for function in numeric + text + patterns + values + message + times + digests { table[function.name.lowercased()] = function }
        return table
    }()

    /// Functions of the service that Crema has not, and why.
    static let refused: [String: String] = {
        var table: [String: String] = [:]
        for name in ["aws_lambda", "get_dynamodb", "get_thing_shadow", "get_registry_data", "get_secret", "machinelearning_predict"] {
            table[name] = "it asks another AWS service, and Crema has none"
        }
        return table
    }()
}
