/// Where the value of an integration's parameter comes from: constant text and parts of the request, one after the other.
package struct ParameterValue: Sendable, Equatable {
    package enum Part: Sendable, Equatable {
        case constant(String)
        /// `$request.body`, or what the steps lead to in it. A selected object or array stands for its JSON text.
        case body([Step])
        /// `$request.header.n`: case-insensitive, several values joined by commas.
        case header(String)
        case queryString(String)
        /// `$request.path.n`: the part of the path that `{n}` stands for.
        case pathParameter(String)
        case context(ContextVariable)
        /// `$context.authorizer.claims.NAME`: of the token by which the route's authorizer let the caller in.
        case claim(String)
    }

    /// One step of the path into a JSON body.
    package enum Step: Sendable, Equatable {
        case member(String)
        /// Counted from the end where it is below zero: -1 is the last one.
        case element(Int)
        /// `*`: all elements of an array, all members of an object.
        case all
        /// `[lower:upper]`: elements from the one to before the other, each counted from the end where it is below zero.
        case slice(lower: Int?, upper: Int?)

        /// Whether it may lead to several values, so that the path selects an array.
        package var isMany: Bool {
            switch self {
            case .member, .element: false
            case .all, .slice: true
            }
        }
    }

    /// What is known about the request besides its parts.
    package enum ContextVariable: String, Sendable, Equatable, CaseIterable {
        case accountID = "accountId"
        case apiID = "apiId"
        case domainName
        case domainPrefix
        case extendedRequestID = "extendedRequestId"
        case requestID = "requestId"
        case httpMethod
        case path
        case `protocol`
        /// The route's path as in the document, of a REST API.
        case resourcePath
        case routeKey
        case stage
        case sourceAddress = "identity.sourceIp"
        case userAgent = "identity.userAgent"
        /// As web servers log it.
        case requestTime
        /// Milliseconds since 1970.
        case requestTimeEpoch
    }

    /// Never empty.
    ///
    /// A single part that selects nothing means that the value is missing; see API Gateway's rules for required ones.
    package let parts: [Part]
    package let location: SourceLocation

    /// Reads one value of `requestParameters`.
    ///
    /// A value that starts with `$` is one selection; otherwise each `${…}` in the text is one.
    ///
    /// - Parameters:
    ///   - text: the value.
    ///   - pathParameters: the names that the route's path has.
    ///   - stageVariables: their values.
    ///   - location: where it was written.
    /// - Throws: for a selection that Crema cannot evaluate.
    init(
        parsing text: String, pathParameters: [String], stageVariables: [String: String], at location: SourceLocation
    ) throws(DocumentError) {
        self.location = location
        let parser = SelectionParser(pathParameters: pathParameters, stageVariables: stageVariables, location: location)
        if text.utf8.first == UInt8(ascii: "$"), !text.utf8.starts(with: "${".utf8) {
            parts = [try parser.parse(text.dropFirst(), in: text)]
            return
        }
        var parts: [Part] = []
        var rest = Substring(text)
        while let start = rest.firstRange(of: "${") {
            if start.lowerBound > rest.startIndex { parts.append(.constant(String(rest[..<start.lowerBound]))) }
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                throw DocumentError("`${` without `}` in `\(text)`", at: location)
            }
            parts.append(try parser.parse(rest[start.upperBound..<end], in: text))
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty || parts.isEmpty { parts.append(.constant(String(rest))) }
        self.parts = parts
    }
}

/// Reads what follows the `$` of a selection, such as `request.body.order[0].id`.
struct SelectionParser {
    let pathParameters: [String]
    let stageVariables: [String: String]
    let location: SourceLocation

    func parse(_ selection: Substring, in text: String) throws(DocumentError) -> ParameterValue.Part {
        if let name = after("request.header.", in: selection) { return .header(name.lowercased()) }
        if let name = after("request.querystring.", in: selection) { return .queryString(name) }
        if let name = after("request.path.", in: selection) {
            return try pathParameter(name, in: text)
        }
        for prefix in ["context.authorizer.claims.", "context.authorizer.jwt.claims."] {
            if let name = after(prefix, in: selection) { return .claim(name) }
        }
        if let name = after("context.", in: selection) { return .context(try context(name, in: text)) }
        if let name = after("stageVariables.", in: selection) { return .constant(try stageVariable(name, in: text)) }
        if selection.hasPrefix("request.body") {
            return .body(try steps(selection.dropFirst("request.body".count), in: text))
        }
        throw DocumentError("`\(text)` is not supported: `$\(selection)` selects nothing of a request", at: location)
    }

    func pathParameter(_ name: String, in text: String) throws(DocumentError) -> ParameterValue.Part {
        guard pathParameters.contains(name) else {
            throw DocumentError(
                "`\(text)`: the route's path has no `{\(name)}`\(suggestion(for: name, among: pathParameters))", at: location)
        }
        return .pathParameter(name)
    }

    func context(_ name: String, in text: String) throws(DocumentError) -> ParameterValue.ContextVariable {
        guard let variable = ParameterValue.ContextVariable(rawValue: name) else {
            let known = ParameterValue.ContextVariable.allCases.map(\.rawValue)
            throw DocumentError("`\(text)`: context.\(name) is not supported\(suggestion(for: name, among: known))", at: location)
        }
        return variable
    }

    /// A stage variable has the same value for every request.
    func stageVariable(_ name: String, in text: String) throws(DocumentError) -> String {
        guard let value = stageVariables[name] else {
            throw DocumentError(
                "`\(text)`: the stage variable `\(name)` has no value; give `\(OpenAPIDocument.stageVariablePrefix)\(name)` one under "
                    + "`parameters`", at: location)
        }
        return value
    }

    func after(_ prefix: String, in selection: Substring) -> String? {
        guard selection.hasPrefix(prefix), selection.count > prefix.count else { return nil }
        return String(selection.dropFirst(prefix.count))
    }

    func steps(_ path: Substring, in text: String) throws(DocumentError) -> [ParameterValue.Step] {
        var steps: [ParameterValue.Step] = []
        var rest = path
        while let first = rest.first {
            rest.removeFirst()
            switch first {
            case ".":
                let name = rest.prefix { $0 != "." && $0 != "[" }
                guard !name.isEmpty else {
                    throw DocumentError("`\(text)`: `..` is not supported in a body path, as in API Gateway", at: location)
                }
                steps.append(name == "*" ? .all : .member(String(name)))
                rest = rest[name.endIndex...]
            case "[":
                guard let end = rest.firstIndex(of: "]") else { throw DocumentError("`\(text)`: `[` without `]`", at: location) }
                steps.append(try bracket(rest[..<end], in: text))
                rest = rest[rest.index(after: end)...]
            default:
                throw DocumentError("`\(text)`: a body path goes on with `.` or `[`, not `\(first)`", at: location)
            }
        }
        return steps
    }

    private func bracket(_ inside: Substring, in text: String) throws(DocumentError) -> ParameterValue.Step {
        if inside == "*" { return .all }
        if let index = Int(inside) { return .element(index) }
        let bounds = inside.split(separator: ":", omittingEmptySubsequences: false)
        let numbers = bounds.map { Int($0) }
        if bounds.count == 2, inside != ":", zip(bounds, numbers).allSatisfy({ $0.isEmpty || $1 != nil }) {
            return .slice(lower: numbers[0], upper: numbers[1])
        }
        if inside.hasPrefix("?") {
            throw DocumentError("`\(text)`: filters, `[\(inside)]`, are not supported in a body path, as in API Gateway", at: location)
        }
        if inside.count > 2, let quote = inside.first, quote == "'" || quote == "\"", inside.last == quote {
            return .member(String(inside.dropFirst().dropLast()))
        }
        let known = "a number, `*`, a slice as `1:3`, or a quoted name"
        throw DocumentError("`\(text)`: `[\(inside)]` is not supported in a body path; it takes \(known)", at: location)
    }
}
