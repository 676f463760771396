/// Functions of the message: where it came from, and what MQTT 5 says of it.
extension SQLFunction {
    static let message: [SQLFunction] = [
        SQLFunction("topic", 0...1) { evaluation, arguments throws(SQLEvaluationError) in
            guard arguments.count == 1 else { return .string(ArraySlice(evaluation.input.topic.utf8)) }
            return arguments[0].decimal?.position.flatMap(evaluation.input.topicLevel).map(SQLValue.string) ?? .undefined
        },
        named("clientid") { $0.clientID ?? "n/a" },
        named("principal") { $0.principal },
        SQLFunction("sourceip", 0, since: .v2016) { evaluation, _ throws(SQLEvaluationError) in
            evaluation.input.sourceAddress.map { .string(ArraySlice($0.utf8)) } ?? .undefined
        },
        named("traceid") { $0.clientID == nil ? nil : $0.traceID },
        named("accountid") { $0.environment.accountID },
        named("newuuid") { $0.environment.makeUUID() },
        SQLFunction("timestamp", 0) { evaluation, _ throws(SQLEvaluationError) in
            .number(SQLNumber(evaluation.input.timestampMilliseconds))
        },
        SQLFunction("sql_version", 0) { evaluation, _ throws(SQLEvaluationError) in
            .string(ArraySlice(evaluation.version.rawValue.utf8))
        },
        SQLFunction("get_mqtt_property", 1, since: .v2016, prepare: knownProperty) { evaluation, arguments throws(SQLEvaluationError) in
            guard let properties = evaluation.input.properties, let name = try evaluation.text(arguments[0]) else { return .undefined }
            return property(String(decoding: name, as: UTF8.self), of: properties)
        },
        SQLFunction("get_user_properties", 0...1, since: .v2016) { evaluation, arguments throws(SQLEvaluationError) in
            guard let properties = evaluation.input.properties else { return .undefined }
            return try userProperties(properties, arguments, &evaluation)
        },
    ]

    private static func named(_ name: String, _ read: @escaping @Sendable (SQLInput) -> String?) -> SQLFunction {
        SQLFunction(name, 0) { evaluation, _ throws(SQLEvaluationError) in
            read(evaluation.input).map { .string(ArraySlice($0.utf8)) } ?? .undefined
        }
    }

    private static let propertyNames = ["content_type", "correlation_data", "format_indicator", "response_topic"]

    @Sendable private static func knownProperty(
        _ literals: [ArraySlice<UInt8>?], _ host: SQLHost
    ) throws(SQLArgumentProblem) -> SQLConstant? {
        guard let name = literals[0].map({ String(decoding: $0, as: UTF8.self) }), !propertyNames.contains(name) else { return nil }
        throw SQLArgumentProblem(
            argument: 0, message: "'\(name)' is no property that can be asked for; \(propertyNames.joined(separator: ", ")) are")
    }

    private static func property(_ name: String, of properties: SQLMessageProperties) -> SQLValue {
        switch name {
        case "content_type": properties.contentType.map { .string(ArraySlice($0.utf8)) } ?? .undefined
        case "response_topic": properties.responseTopic.map { .string(ArraySlice($0.utf8)) } ?? .undefined
        case "correlation_data": properties.correlationData.map { .string(Base64.encode($0)[...]) } ?? .undefined
        case "format_indicator": .string(ArraySlice((properties.isUTF8 ? "UTF8_DATA" : "UNSPECIFIED_BYTES").utf8))
        default: .undefined
        }
    }

    /// The values of one name as an array, or all of them as an array of objects; Undefined where there is none.
    private static func userProperties(
        _ properties: SQLMessageProperties, _ arguments: SQLArguments, _ evaluation: inout SQLEvaluation
    ) throws(SQLEvaluationError) -> SQLValue {
        var output = [UInt8(ascii: "[")]
        let name = try evaluation.text(arguments[0])
        if arguments.count == 1, name == nil { return .undefined }
        for property in properties.userProperties {
            if let name {
                guard property.name.utf8.elementsEqual(name) else { continue }
                JSONText.appendString(property.value.utf8, to: &output)
            } else {
                output.append(UInt8(ascii: "{"))
                JSONText.appendString(property.name.utf8, to: &output)
                output.append(UInt8(ascii: ":"))
                JSONText.appendString(property.value.utf8, to: &output)
                output.append(UInt8(ascii: "}"))
            }
            output.append(UInt8(ascii: ","))
        }
        guard output.last == UInt8(ascii: ",") else { return .undefined }
        output[output.count - 1] = UInt8(ascii: "]")
        try evaluation.budget.spend(bytes: output.count)
        return try evaluation.json(output)
    }
}
