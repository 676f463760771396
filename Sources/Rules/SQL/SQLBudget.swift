/// What one message may still cost one rule.
struct SQLBudget {
    private var bytes = SQLStatement.workBytesMax
    private var steps: Int
    private var regexSteps: Int

    init(steps: Int = SQLStatement.stepsMax, regexSteps: Int = SQLStatement.regexStepsMax) {
        self.steps = steps
        self.regexSteps = regexSteps
    }

    mutating func spend(bytes count: Int) throws(SQLEvaluationError) {
        bytes -= count
        guard bytes >= 0 else { throw .tooLong(bytesMax: SQLStatement.workBytesMax) }
    }

    mutating func spend(steps count: Int) throws(SQLEvaluationError) {
        steps -= count
        guard steps >= 0 else { throw .tooManySteps(stepsMax: SQLStatement.stepsMax) }
    }

    mutating func spend(regexSteps count: Int) throws(SQLEvaluationError) {
        _ = try search { $0 -= count }
    }

    /// Runs a search that counts its steps down, and answers nil where they did not suffice.
    mutating func search<Found>(_ body: (inout Int) -> Found?) throws(SQLEvaluationError) -> Found? {
        let found = body(&regexSteps)
        guard regexSteps >= 0 else { throw .regexTooSlow(stepsMax: SQLStatement.regexStepsMax) }
        return found
    }
}
