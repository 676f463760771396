import Documents
import MQTTCodec
import Queues
import Rules

/// Reads one of a rule's `Targets`.
struct TargetReader {
    private let node: Node
    private let declared: DeclaredNames
    private let what: String

    init(_ node: Node, declared: DeclaredNames) throws(DocumentError) {
        self.node = node
        self.declared = declared
        what = "the target `\(try node.required("Id", in: "a target").text("Id"))`"
    }

    private static let properties = [
        "Id", "Arn", "RoleArn", "Input", "InputPath", "InputTransformer", "MqttParameters", "DeadLetterConfig", "RetryPolicy",
        "HttpParameters", "SqsParameters",
    ]
    private static let inputs = ["Input", "InputPath", "InputTransformer"]

    func read() throws(DocumentError) -> Target {
        var problems = ProblemCollector()
        _ = problems.collect { () throws(DocumentError) in try refuseUnknown(node, what: what, known: Self.properties) }
        // It gives nobody any right, and is kept and told.
        _ = problems.collect { () throws(DocumentError) in try node["RoleArn"]?.text("RoleArn") }
        let id = problems.collect { () throws(DocumentError) in try self.id() }
        let paths = problems.collect { () throws(DocumentError) in try pathsMap() }
        let destination = problems.collect { () throws(DocumentError) in try self.destination(placeholders: paths ?? []) }
        let input = problems.collect { () throws(DocumentError) in try self.input(paths: paths ?? []) }
        let deadLetterQueue = problems.collect { () throws(DocumentError) in try self.deadLetterQueue() }
        let retryPolicy = problems.collect { () throws(DocumentError) in
            try node["RetryPolicy"].map { (node) throws(DocumentError) in try RetryPolicy(node, what: "\(what): RetryPolicy") }
        }
        try problems.finish()
        guard let id, let destination, let input, let deadLetterQueue, let retryPolicy else {
            throw DocumentError("\(what) cannot be read", at: node.location)
        }
        return Target(
            definition: try node.known.json(what), id: id, arn: try node.required("Arn", in: what).text("Arn"), input: input,
            destination: destination, deadLetterQueue: deadLetterQueue, retryPolicy: retryPolicy ?? RetryPolicy())
    }

    private func id() throws(DocumentError) -> String {
        let value = try node.required("Id", in: "a target")
        let id = try value.text("Id")
        guard (1...64).contains(id.utf8.count), id.utf8.allSatisfy(isNameByte) else {
            throw DocumentError("Id `\(id)` must be 1 to 64 letters, digits and any of `.-_`", at: value.location)
        }
        return id
    }

    private static let topicKind = "topic/"

    private func destination(placeholders: [(name: String, path: String)]) throws(DocumentError) -> Target.Destination {
        let value = try node.required("Arn", in: what)
        let arn = try value.text("Arn")
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        let isARN = parts.count == 6 && parts[0] == "arn" && parts[1].hasPrefix("aws")
        let queue = QueueName(arn: arn)
        if queue == nil, let parameters = node.entry("SqsParameters") {
            throw DocumentError("\(what): SqsParameters are for targets that are queues", at: parameters.keyLocation)
        }
        if isARN, parts[2] == "iot", parts[5].utf8.starts(with: Self.topicKind.utf8) {
            let text = String(Substring(parts[5].utf8.dropFirst(Self.topicKind.utf8.count)))
            return .topic(try topic(text, placeholders: placeholders, at: value.location))
        }
        if let parameters = node.entry("MqttParameters") {
            throw DocumentError(
                "\(what): MqttParameters are for targets that are topics", at: parameters.keyLocation)
        }
        if let call = try callDestination(arn, at: value.location) { return call }
        if let parameters = node.entry("HttpParameters") {
            throw DocumentError("\(what): HttpParameters are for targets that are API destinations", at: parameters.keyLocation)
        }
        if let queue { return try self.queue(queue, at: value.location) }
        if isARN, parts[2] == "events", parts[5].hasPrefix("event-bus/") {
            let name = String(parts[5].dropFirst("event-bus/".count))
            try declared.requireBus(name, at: value.location)
            if let input = Self.inputs.compactMap({ node.entry($0) }).first {
                throw DocumentError(
                    "\(what): a bus gets the event as it is; \(input.key) is not supported here",
                    at: input.keyLocation)
            }
            return .bus(name)
        }
        throw DocumentError(
            "\(what): the ARN `\(arn)` is not supported; Crema delivers to `arn:aws:iot:REGION:ACCOUNT:topic/TOPIC`, "
                + "`arn:aws:sqs:REGION:ACCOUNT:QUEUE`, `arn:aws:events:REGION:ACCOUNT:event-bus/BUS`, "
                + "`arn:aws:events:REGION:ACCOUNT:api-destination/NAME/ID`, `arn:aws:lambda:REGION:ACCOUNT:function:NAME` and "
                + "`arn:aws:logs:REGION:ACCOUNT:log-group:NAME`",
            at: value.location)
    }

    /// A FIFO queue, which tells events apart by their text alone, needs a group for all that the target sends.
    private func queue(_ queue: QueueName, at location: SourceLocation) throws(DocumentError) -> Target.Destination {
        try declared.requireQueue(queue.text, at: location)
        guard let parameters = node["SqsParameters"] else {
            guard queue.isOrdered else { return .queue(queue.text, group: nil) }
            throw DocumentError("Parameter(s) SqsParameters must be specified for target: \(try id()).", at: location)
        }
        let name = "\(what): SqsParameters"
        try refuseUnknown(parameters, what: name, known: ["MessageGroupId"])
        let value = try parameters.required("MessageGroupId", in: name)
        let group = try value.text("MessageGroupId")
        do throws(QueueError) { try MessageIdentity(groupID: group).check() } catch {
            throw DocumentError("\(name): \(error.message)", at: value.location)
        }
        return .queue(queue.text, group: group)
    }

    /// An API destination, a function, or a group of log lines; nil for another ARN.
    private func callDestination(_ arn: String, at location: SourceLocation) throws(DocumentError) -> Target.Destination? {
        if let reference = CallARN(arn, kind: "api-destination") {
            let destination = try declared.requireDestination(reference, what: what, at: location)
            var parameters = HTTPParameters.none
            if let given = node["HttpParameters"] { parameters = try HTTPParameters(given, what: "\(what): HttpParameters") }
            let places = destination.path.count - 1
            guard parameters.pathValues.count == places || declared.admitsAll else {
                throw DocumentError(
                    "\(what): the endpoint of \(reference.name) has \(places) `*`, but PathParameterValues has \(parameters.pathValues.count) values",
                    at: node["HttpParameters"]?.location ?? location)
            }
            return .call(destination, parameters)
        }
        if node["HttpParameters"] != nil { return nil }
        if let function = try LambdaFunction(arn: arn, calls: declared.calls, what: what, at: location) { return .function(function) }
        let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
        let isGroup = (7...8).contains(parts.count) && parts[0] == "arn" && parts[2] == "logs" && parts[5] == "log-group"
        guard isGroup, !parts[6].isEmpty, parts.count == 7 || parts[7] == "*" else { return nil }
        return .log(group: String(parts[6]))
    }

    private func topic(
        _ text: String, placeholders: [(name: String, path: String)], at location: SourceLocation
    ) throws(DocumentError) -> TopicDestination {
        guard text.utf8.first != UInt8(ascii: "$") else {
            throw DocumentError("\(what): topics that begin with `$` belong to the broker", at: location)
        }
        let (qos, retain, expirySeconds) = try delivery()
        do throws(TopicTemplateError) {
            return TopicDestination(
                topic: try TopicTemplate(parsing: text, placeholders: placeholders), qos: qos,
                retain: retain, expirySeconds: expirySeconds)
        } catch {
            throw DocumentError("\(what): \(error)", at: location)
        }
    }

    /// The queue of `DeadLetterConfig: { Arn: … }`; nil where the target has none, which `{}` says as well.
    private func deadLetterQueue() throws(DocumentError) -> String? {
        guard let configuration = node["DeadLetterConfig"] else { return nil }
        let what = "\(what): DeadLetterConfig"
        try refuseUnknown(configuration, what: what, known: ["Arn"])
        guard let value = configuration["Arn"] else { return nil }
        let arn = try value.text("Arn")
        guard let queue = QueueName(arn: arn) else {
            throw DocumentError(
                "\(what): `\(arn)` is not the ARN of a queue, `arn:aws:sqs:REGION:ACCOUNT:QUEUE`",
                at: value.location)
        }
        guard !queue.isOrdered else {
            throw DocumentError("\(what): `\(arn)` is a FIFO queue, and must be a standard queue", at: value.location)
        }
        try declared.requireQueue(queue.text, at: value.location)
        return queue.text
    }

    private func pathsMap() throws(DocumentError) -> [(name: String, path: String)] {
        guard let map = node["InputTransformer"]?["InputPathsMap"] else { return [] }
        return try map.entries("InputPathsMap").map { (entry) throws(DocumentError) in (entry.key, try entry.value.text(entry.key)) }
    }

    private func input(paths: [(name: String, path: String)]) throws(DocumentError) -> TargetInput {
        let given = Self.inputs.compactMap { node.entry($0) }
        guard given.count <= 1 else {
            let id = try id()
            throw DocumentError(
                "Only one of Input, InputPath, or InputTransformer must be provided for target \(id).",
                at: given[1].keyLocation
            )
        }
        guard let only = given.first else { return .wholeEvent }
        guard only.key != "InputTransformer" else { return try transformer(only.value, paths: paths) }
        let text = try only.value.text(only.key)
        switch only.key {
        case "Input":
            do throws(JSONError) {
                return try .constant(json: Array(text.utf8))
            } catch {
                throw DocumentError("\(what): Input is not valid JSON: \(error)", at: only.value.location)
            }
        default:
            do throws(EventPathError) {
                return .path(try EventPath(parsing: text, reach: .wildcards))
            } catch {
                throw DocumentError("\(what): InputPath: \(error)", at: only.value.location)
            }
        }
    }

    private func transformer(_ node: Node, paths: [(name: String, path: String)]) throws(DocumentError) -> TargetInput {
        try refuseUnknown(node, what: "\(what): InputTransformer", known: ["InputPathsMap", "InputTemplate"])
        let value = try node.required("InputTemplate", in: "\(what): InputTransformer")
        let template = try value.text("InputTemplate")
        let id = try id()
        do throws(InputTransformerError) {
            return .transformer(try InputTransformer(pathsMap: paths, template: template))
        } catch {
            throw DocumentError(error.message(target: id), at: value.location)
        }
    }

    private func delivery() throws(DocumentError) -> (qos: QoS, retain: Bool, expirySeconds: UInt32?) {
        guard let parameters = node["MqttParameters"] else { return (.atLeastOnce, false, nil) }
        try refuseUnknown(parameters, what: "\(what): MqttParameters", known: ["Qos", "Retain", "MessageExpiry"])
        let qos = try parameters["Qos"].map { (node) throws(DocumentError) in try readQoS(node) } ?? .atLeastOnce
        let expiry = try parameters["MessageExpiry"].map { (node) throws(DocumentError) in
            UInt32(try node.integer("MessageExpiry", in: 1...Int(UInt32.max)))
        }
        return (qos, try parameters["Retain"]?.boolean("Retain") ?? false, expiry)
    }
}

/// Reads a quality of service.
///
/// AWS IoT's own actions know no 2.
func readQoS(_ node: Node, in range: ClosedRange<Int> = 0...2) throws(DocumentError) -> QoS {
    let value = try node.integer("Qos", in: range)
    return UInt8(exactly: value).flatMap(QoS.init(rawValue:)) ?? .atMostOnce
}
