/// A compiled expression: instructions in postfix order for a stack, so that evaluating never recurses on what a message holds.
struct SQLProgram: Sendable {
    enum Operator: Sendable {
        case or, and, equal, notEqual, less, lessOrEqual, greater, greaterOrEqual, add, subtract, multiply, divide, remainder, like
    }

    enum Instruction: Sendable {
        case literal(SQLValue)
        /// Of the message, or of the element that a nested query is at.
        case attribute([ArraySlice<UInt8>])
        /// Names within the value on the stack.
        case member([ArraySlice<UInt8>])
        /// `*` as an argument or in a literal.
        case everything
        /// A value of SET, by its position.
        case variable(Int)
        case not, negate, isNull
        case binary(Operator)
        /// Takes two bounds and the value between them.
        case between
        /// Takes so many values and the one that is looked for among them.
        case inList(Int)
        /// Takes an array and the value that is looked for in it.
        case inArray
        /// The same, where what is no array is the one value to be equal to.
        case inArrayOrEqual
        /// Takes what a query found: whether that is anything.
        case exists
        case call(SQLFunction, arguments: Int, SQLConstant?)
        case cast(SQLCast)
        case array(Int)
        case object([ArraySlice<UInt8>])
        /// Of the message's payload as it came, whatever it is.
        case encodePayload
        case nested(SQLNestedQuery)
        /// Goes on at the place, with nothing else done, where the value on the stack is Undefined.
        case jumpIfUndefined(Int)
        /// Takes a value; if the one below equals it, takes that as well, else goes on at the place.
        case jumpUnlessEqual(Int)
        case jump(Int)
        case discard
    }

    var instructions: [Instruction] = []

    /// Whether it reads what the publisher wrote: the payload, values of SET, which are made of it, or properties of MQTT 5.
    var readsMessage: Bool {
        instructions.contains { instruction in
            switch instruction {
            case .attribute, .everything, .variable, .encodePayload, .nested: true
            case .call(let function, _, _): ["get_mqtt_property", "get_user_properties"].contains(function.name.lowercased())
            default: false
            }
        }
    }

    /// The text, where the expression is nothing but a string.
    var literalText: ArraySlice<UInt8>? {
        guard instructions.count == 1, case .literal(.string(let text)) = instructions[0] else { return nil }
        return text
    }
}

/// `(SELECT … FROM path WHERE …)`, over the elements of an array or over one object.
struct SQLNestedQuery: Sendable {
    let selection: SQLSelection
    /// Where the array or object is found; never empty.
    let source: SQLProgram
    /// What an element is called in the query, besides being where names are looked for.
    let alias: ArraySlice<UInt8>?
    let condition: SQLProgram?
}

/// What was made of a function's literal arguments when the rule was created.
enum SQLConstant: Sendable {
    case regex(RegularExpression)
    /// A pattern, unless it comes with the message, and the regions that may be named.
    case time(TimePattern?, [String: TimeZoneRules])
    case digest(SQLHost.Digest)
}
