/// What a template puts in place of a response's status and headers: `$context.responseOverride`.
package struct VTLOverrides: Sendable, Equatable {
    /// The most headers that one rendering may set: as many as the service's quota lets a response have.
    package static let headersMax = 200

    package internal(set) var status: Int?
    /// In order; each name once, in any case.
    package internal(set) var headers: [(name: String, value: String)] = []

    package init() {}

    package static func == (left: VTLOverrides, right: VTLOverrides) -> Bool {
        left.status == right.status && left.headers.elementsEqual(right.headers, by: ==)
    }
}

extension VTLParser {
    /// Reads `$context.responseOverride.status` or `$context.responseOverride.header.NAME`; nil, and nothing read, for what is neither.
    ///
    /// Anything else of `$context` is left to be refused as what a directive cannot set.
    mutating func override() throws(VTLError) -> VTLOverride? {
        let start = position
        skipBlanks(andLines: true)
        let isBraced = take("${")
        guard isOfResponse, isBraced || take("$"), take("context.responseOverride.") else {
            position = start
            return nil
        }
        let part: VTLOverride
        let name = name(at: position, hyphens: true)
        position = name.endIndex
        switch String(decoding: name, as: UTF8.self) {
        case "status": part = .status
        case "header":
            switch try step() {
            case .property(let name)?: part = .header(.constant(.text(name)))
            case .index(let expression)?: part = .header(expression)
            case .call?, nil: throw error("$context.responseOverride.header wants the name of a header behind it", at: start)
            }
        default: throw error("$context.responseOverride has `status` and `header`", at: start)
        }
        if isBraced {
            guard take("}") else { throw error("`}` expected") }
        }
        return part
    }
}

extension VTLEvaluation {
    /// Notes what the response gets; the service answers what is set twice with 500, and so does a failure here.
    mutating func replace(_ part: VTLOverride, _ value: VTLValue) throws(VTLFailure) {
        let text = String(decoding: try text(of: value), as: UTF8.self)
        switch part {
        case .status:
            guard overrides.status == nil else { throw .invalid("$context.responseOverride.status is set twice") }
            guard let status = Int(text), (200...599).contains(status) else {
                throw .invalid("$context.responseOverride.status is no status from 200 to 599")
            }
            overrides.status = status
        case .header(let expression):
            let name = String(decoding: try self.text(of: try self.value(of: expression)), as: UTF8.self)
            try spend(steps: overrides.headers.count)
            try spend(bytes: name.utf8.count + text.utf8.count)
            guard overrides.headers.count < VTLOverrides.headersMax else {
                throw .invalid("$context.responseOverride.header is set more than \(VTLOverrides.headersMax) times")
            }
            guard !overrides.headers.contains(where: { $0.name.lowercased() == name.lowercased() }) else {
                throw .invalid("$context.responseOverride.header.\(name) is set twice")
            }
            overrides.headers.append((name, text))
        }
    }
}
