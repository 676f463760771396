/// Overrides a configuration's values by environment variables.
///
/// `CREMA_LISTENERS__0__BIND` is the `bind` of the first listener: names are nested by `__`, and compared without regard to case and single
/// underscores. An index one past the end adds an element. With `_FILE` at the end, the variable names a file that holds the value, which
/// keeps secrets out of the environment.
struct EnvironmentOverrides {
    private static let prefix = "CREMA_"
    /// Variables that mean something else: the address that the inspecting commands ask and what they show there, and how much is logged.
    private static let others: Set<String> = ["CREMA_ADMIN", "CREMA_ADMIN_TOKEN", "CREMA_ADMIN_TOKEN_FILE", "CREMA_LOG_LEVEL"]

    private struct Override {
        var variable: String
        var path: [String]
        var value: String

        var location: SourceLocation { SourceLocation(file: "environment variable \(variable)") }
    }

    private let environment: [String: String]
    private let knownLimits: [String]

    init(environment: [String: String], knownLimits: [String]) {
        self.environment = environment
        self.knownLimits = knownLimits
    }

    func apply(to root: Node) throws(DocumentError) -> Node {
        var root = root
        var problems = ProblemCollector()
        // Sorted, so that elements are added in the order of their indices and messages come in a stable order.
        let names = environment.keys.filter { $0.hasPrefix(Self.prefix) && !Self.others.contains($0) && !Self.isServiceLink($0) }
        for name in names.sorted(by: { $0.count == $1.count ? $0 < $1 : $0.count < $1.count }) {
            _ = problems.collect { () throws(DocumentError) in
                let override = try self.override(name)
                root = try set(override, in: root, depth: 0)
            }
        }
        try problems.finish()
        return root
    }

    /// Whether a variable is one of those that Kubernetes gives every container for each service of its namespace, as for one called `crema`:
    /// `CREMA_SERVICE_HOST`, `CREMA_SERVICE_PORT_MQTTS`, `CREMA_PORT_8883_TCP_ADDR`.
    private static func isServiceLink(_ variable: String) -> Bool {
        let link = /[A-Z0-9_]+_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)/
        // Names of keys within keys have two underscores, and are none of theirs.
        return !variable.contains("__") && variable.wholeMatch(of: link) != nil
    }

    private func override(_ variable: String) throws(DocumentError) -> Override {
        var name = variable.dropFirst(Self.prefix.count)
        var value = environment[variable] ?? ""
        if name.hasSuffix("_FILE") {
            name = name.dropLast("_FILE".count)
            let text = try Node.readText(file: value)
            value = String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        }
        let override = Override(variable: variable, path: name.split(separator: "__").map(String.init), value: value)
        guard !override.path.isEmpty else { throw DocumentError("the name must go on with a key", at: override.location) }
        return override
    }

    /// Answers with the node changed at the override's path.
    private func set(_ override: Override, in node: Node, depth: Int) throws(DocumentError) -> Node {
        guard depth < override.path.count else {
            let kind = CoreSchema.kind(of: override.value)
            return Node(.scalar(.init(override.value, kind: kind == .null ? .string : kind)), at: override.location)
        }
        let name = override.path[depth]
        var node = node
        if isList(override.path, depth: depth) {
            var elements: [Node] = []
            if case .sequence(let existing) = node.content { elements = existing }
            guard let index = Int(name), index >= 0, index <= elements.count else {
                throw DocumentError("`\(name)` must be an index from 0 to \(elements.count)", at: override.location)
            }
            if index == elements.count { elements.append(Node(.mapping([]), at: override.location)) }
            elements[index] = try set(override, in: elements[index], depth: depth + 1)
            node.content = .sequence(elements)
            return node
        }
        var entries: [Node.Entry] = []
        if case .mapping(let existing) = node.content { entries = existing }
        let key = try key(name, override: override, depth: depth, present: entries.map(\.key))
        let index = entries.firstIndex { $0.key == key } ?? entries.count
        if index == entries.count {
            let empty = Node(.mapping([]), at: override.location)
            entries.append(Node.Entry(key: key, keyLocation: override.location, value: empty))
        }
        entries[index].value = try set(override, in: entries[index].value, depth: depth + 1)
        node.content = .mapping(entries)
        return node
    }

    private func isList(_ path: [String], depth: Int) -> Bool {
        switch depth {
        case 1: ["LISTENERS", "RESOURCES", "ACCESSKEYS"].contains(Self.normal(path[0]))
        case 2: Self.normal(path[0]) == "HTTP" && Self.normal(path[1]) == "ALLOW"
        case 3: Self.normal(path[0]) == "LISTENERS" && ["ORIGINS", "TOKENS", "HOSTS"].contains(Self.normal(path[2]))
        default: false
        }
    }

    /// The key that a part of a variable's name stands for.
    private func key(_ name: String, override: Override, depth: Int, present: [String]) throws(DocumentError) -> String {
        let known: [String]
        switch (depth, Self.normal(override.path[0])) {
        case (0, _): known = Configuration.keys
        case (1, "LIMITS"): known = knownLimits
        case (1, "HTTP"): known = ["allow"]
        case (1, "LAMBDA"): known = ["endpoint"]
        case (1, "TRACING"): known = TracingConfiguration.keys
        case (1, "LOG"): known = LogConfiguration.keys
        case (2, "LISTENERS"): known = ListenerConfiguration.keys
        case (2, "ACCESSKEYS"): known = Configuration.AccessKeyEntry.keys
        case (1, "PARAMETERS"):
            // The names of parameters are the templates' own, so one that the file does not have is taken as it is written.
            return present.first { Self.normal($0) == Self.normal(name) } ?? name
        default: throw DocumentError("there is nothing to set at `\(name)`", at: override.location)
        }
        guard let key = known.first(where: { Self.normal($0) == Self.normal(name) }) else {
            throw DocumentError("there is no key `\(name)`\(suggestion(for: name, among: known))", at: override.location)
        }
        return key
    }

    private static func normal(_ name: String) -> String { name.filter { $0 != "_" }.uppercased() }
}
