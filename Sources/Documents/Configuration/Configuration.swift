/// What an operator decides: the one YAML file, with the environment's overrides.
package struct Configuration: Sendable {
    /// A file named under `resources`.
    package struct ResourceFile: Sendable, Equatable {
        /// Relative to the working directory.
        package var path: String
        /// Of the line that names it.
        package var location: SourceLocation
    }

    /// A host, an address or a block of addresses that HTTP calls may go to.
    package struct AllowedHost: Sendable, Equatable {
        package var text: String
        package var location: SourceLocation

        package init(_ text: String, at location: SourceLocation) {
            (self.text, self.location) = (text, location)
        }
    }

    package var listeners: [ListenerConfiguration]
    package var resources: [ResourceFile] = []
    /// Where what outlives the process is kept; `nil` for nowhere.
    package var store: StoreConfiguration?
    /// Values for the parameters and unresolved references of templates and API documents.
    package var parameters: [String: String] = [:]
    /// Where each of them was given.
    package var parameterLocations: [String: SourceLocation] = [:]
    /// Named limits that differ from their defaults.
    package var limits: [String: Int] = [:]
    /// For whom the templates' policies stand; `nil` where the file does not say.
    package var policies: [PolicyAttachment]?
    /// What programs sign their requests with; `nil` where the file does not say.
    package var accessKeys: [AccessKeyEntry]?
    /// mosquitto's ACL file, and where it is named; `nil` for none.
    package var accessFile: ResourceFile?
    /// Which tokens listeners may take, by name.
    package var tokens: [TokenIssuer] = []
    /// `host:port` of the server that clients of MQTT 5 are told to use when this one stops.
    package var serverReference: String?
    /// Whether the files that the configuration names are read anew when they change.
    package var watchFiles = false
    package var log = LogConfiguration()
    /// Whether and how the traces of messages and calls are kept up; `nil` where they are not.
    package var tracing: TracingConfiguration?
    /// Whether clients' coming and going is published on `$aws/events/…`.
    package var lifecycleEvents = false
    /// Where calls over HTTP may go beside what everybody reaches.
    package var allowedHosts: [AllowedHost] = []
    /// Where functions are called: the beginning of a URL.
    package var lambdaEndpoint: AllowedHost?

    /// What holds without a file: plain MQTT, HTTP and administration on loopback, no anonymous clients.
    package init() {
        let location = SourceLocation(file: "built-in defaults")
        listeners = [
            ListenerConfiguration(protocol: .mqtt, host: "127.0.0.1", port: 1883, location: location),
            ListenerConfiguration(protocol: .http, host: "127.0.0.1", port: 8080, location: location),
            ListenerConfiguration(protocol: .admin, host: "127.0.0.1", port: 9090, location: location),
        ]
    }

    /// Reads a configuration.
    ///
    /// - Parameters:
    ///   - file: its path, which relative paths in it start from.
    ///   - text: YAML or JSON.
    ///   - environment: variables; those named `CREMA_…` override the file, see ``EnvironmentOverrides``.
    ///   - knownLimits: the limits that `limits` may set.
    /// - Throws: every mistake found, with file, line and column.
    package init(
        file: String, text: String, environment: [String: String] = [:], knownLimits: SettableLimits
    ) throws(DocumentError) {
        let parsed = try Node.parse(file: file, text: text)
        try self.init(file: file, root: parsed, environment: environment, knownLimits: knownLimits)
    }

    /// Reads a configuration file, or the defaults with the environment's overrides if there is none.
    package init(file: String?, environment: [String: String], knownLimits: SettableLimits) throws(DocumentError) {
        let name = file ?? "environment"
        var root = Node(.mapping([]), at: SourceLocation(file: name))
        if let file {
            root = try Node.read(file: file)
            if case .mapping(let entries) = root.content, entries.isEmpty {
                // Most likely half written: the defaults are what is served without a file.
                throw DocumentError("there is nothing in the file; without --config the defaults are served", at: root.location)
            }
        }
        try self.init(file: name, root: root, environment: environment, knownLimits: knownLimits)
    }

    private init(file: String, root: Node, environment: [String: String], knownLimits: SettableLimits) throws(DocumentError) {
        self.init()
        let overrides = EnvironmentOverrides(environment: environment, knownLimits: knownLimits.names)
        var problems = ProblemCollector()
        var root = root
        if let changed = problems.collect({ () throws(DocumentError) in try overrides.apply(to: root) }) { root = changed }
        _ = problems.collect { () throws(DocumentError) in try root.entries("the configuration", known: Self.keys) }
        let paths = RelativePaths(configurationFile: file)
        if let kept = problems.collect({ () throws(DocumentError) in try StoreConfiguration(root, paths: paths) }) { store = kept }
        if let section = root["listeners"] {
            listeners = problems.collect { () throws(DocumentError) in try Self.listeners(section, paths: paths) } ?? []
        }
        if let section = root["resources"] {
            resources = problems.collect { () throws(DocumentError) in try Self.resources(section, paths: paths) } ?? []
        }
        if let section = root["parameters"] {
            parameters = problems.collect { () throws(DocumentError) in try Self.parameters(section) } ?? [:]
            if case .mapping(let entries) = section.content {
                parameterLocations = Dictionary(entries.map { ($0.key, $0.keyLocation) }) { first, _ in first }
            }
        }
        if let section = root["limits"] {
            limits = problems.collect { () throws(DocumentError) in try knownLimits.read(section) } ?? [:]
        }
        if let value = root["serverReference"] {
            serverReference = problems.collect { () throws(DocumentError) in
                _ = try ListenerConfiguration.hostAndPort(value, "serverReference", lowestPort: 1)
                return try value.text("serverReference")
            }
        }
        if let value = root["acl"] {
            accessFile = problems.collect { () throws(DocumentError) in
                ResourceFile(path: paths.resolve(try value.text("acl")), location: value.location)
            }
        }
        if let value = root["watchFiles"] {
            watchFiles = problems.collect { () throws(DocumentError) in try value.boolean("watchFiles") } ?? false
        }
        if let value = root["lifecycleEvents"] {
            lifecycleEvents = problems.collect { () throws(DocumentError) in try value.boolean("lifecycleEvents") } ?? false
        }
        if let section = root["tracing"] {
            tracing = problems.collect { () throws(DocumentError) in try TracingConfiguration(section) }
        }
        if let section = root["log"] {
            log = problems.collect { () throws(DocumentError) in try LogConfiguration(section) } ?? log
        }
        if let section = root["policies"] {
            policies = problems.collect { () throws(DocumentError) in try PolicyAttachment.all(in: section) } ?? []
        }
        if let section = root["accessKeys"] {
            accessKeys = problems.collect { () throws(DocumentError) in try AccessKeyEntry.all(in: section, paths: paths) } ?? []
        }
        for listener in listeners where listener.accessKeys && accessKeys == nil {
            problems.add("the listener takes signed requests (`accessKeys: true`), but there are no `accessKeys`", at: listener.location)
        }
        if let section = root["tokens"] {
            tokens = problems.collect { () throws(DocumentError) in try TokenIssuer.all(in: section, paths: paths) } ?? []
        }
        Self.checkTokens(of: listeners, declared: (try? root["tokens"]?.entries("tokens"))?.map(\.key) ?? [], &problems)
        if let section = root["http"] {
            allowedHosts = problems.collect { () throws(DocumentError) in try Self.allowedHosts(section) } ?? []
        }
        if let section = root["lambda"] {
            lambdaEndpoint = problems.collect { () throws(DocumentError) in try Self.lambdaEndpoint(section) }
        }
        try problems.finish()
    }

    static let keys = [
        "data", "durability", "listeners", "resources", "parameters", "limits", "serverReference", "http", "lambda", "policies",
        "accessKeys", "acl", "tokens", "watchFiles", "log", "lifecycleEvents", "tracing",
    ]
}

// MARK: - Sections

extension Configuration {
    private static func listeners(_ section: Node, paths: RelativePaths) throws(DocumentError) -> [ListenerConfiguration] {
        let elements = try section.elements("listeners")
        guard !elements.isEmpty else { throw DocumentError("listeners must have at least one listener", at: section.location) }
        var problems = ProblemCollector()
        var listeners: [ListenerConfiguration] = []
        var seen: [String: SourceLocation] = [:]
        for element in elements {
            guard
                var listener = problems.collect({ () throws(DocumentError) in try ListenerConfiguration(element, paths: paths) })
            else { continue }
            if listener.port != 0, let first = seen.updateValue(listener.location, forKey: listener.address) {
                problems.add("\(listener.address) is taken by the listener at \(first)", at: listener.location)
            } else if let other = listeners.first(where: { $0.overlaps(listener) }) {
                problems.add(
                    "\(listener.address) is taken by the listener at \(other.location), \(other.address): one of the two is for every address",
                    at: listener.location)
            }
            listener.ordinal += listeners.count { $0.protocol == listener.protocol && $0.address == listener.address }
            listeners.append(listener)
        }
        try problems.finish()
        return listeners
    }

    /// Listeners name entries of `tokens`.
    private static func checkTokens(of listeners: [ListenerConfiguration], declared: [String], _ problems: inout ProblemCollector) {
        for token in listeners.flatMap(\.tokens) where !declared.contains(token.text) {
            problems.add(
                "there is no entry `\(token.text)` under `tokens`\(suggestion(for: token.text, among: declared))", at: token.location)
        }
    }

    private static func resources(_ section: Node, paths: RelativePaths) throws(DocumentError) -> [ResourceFile] {
        try section.elements("resources").readEach { (element) throws(DocumentError) in
            ResourceFile(path: paths.resolve(try element.text("a resource file")), location: element.location)
        }
    }

    private static func allowedHosts(_ section: Node) throws(DocumentError) -> [AllowedHost] {
        _ = try section.entries("http", known: ["allow"])
        return try section["allow"]?.elements("http: allow").readEach { (element) throws(DocumentError) in
            AllowedHost(try element.text("a host"), at: element.location)
        } ?? []
    }

    private static func lambdaEndpoint(_ section: Node) throws(DocumentError) -> AllowedHost {
        _ = try section.entries("lambda", known: ["endpoint"])
        let value = try section.required("endpoint", in: "lambda")
        return AllowedHost(try value.text("lambda: endpoint"), at: value.location)
    }

    private static func parameters(_ section: Node) throws(DocumentError) -> [String: String] {
        let values = try section.entries("parameters").readEach { (entry) throws(DocumentError) in
            (entry.key, try entry.value.text("the parameter \(entry.key)"))
        }
        return Dictionary(values) { _, last in last }
    }
}
