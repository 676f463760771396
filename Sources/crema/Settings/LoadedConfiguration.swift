import ArgumentParser
import BrokerServer
import Documents
import EventBus
import Foundation
import Gateway
import HTTPListening
import Rights
import Trust

/// Where a command finds its configuration.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The configuration. Without it: MQTT on 127.0.0.1:1883, HTTP on :8080, administration on :9090, no anonymous clients.",
            valueName: "file"))
    var config: String?

    /// Reads the configuration and all that it names.
    ///
    /// - Parameter further: what else is looked at once the configuration has been read.
    /// - Returns: what can be served.
    /// - Throws: as ``LoadedConfiguration/init(file:environment:_:)``.
    func load(_ further: (Configuration) throws(DocumentError) -> Void = { _ in }) throws(DocumentError) -> LoadedConfiguration {
        try LoadedConfiguration(file: config, environment: ProcessInfo.processInfo.environment, further)
    }
}

/// A configuration with its resources read and compiled: what serves, or what a check lists.
struct LoadedConfiguration: Sendable {
    let configuration: Configuration
    let documents: ResourceDocuments
    let resources: ResourceSet
    let calls: CallSettings
    let routes: RouteTable
    let policies: PolicyBook
    /// What programs sign their requests with.
    let accessKeys: AccessKeys
    /// By the listener's name.
    let scramUsers: [String: ScramCredentials]
    /// By the listener's name.
    let passwords: [String: PasswordFile]
    /// By the listener's name.
    let authorizers: [String: [CustomAuthorizer]]
    /// What browsers get from the listeners for programs, by the listener's name.
    let pages: [String: PageTable]
    let tokens: TokenBook
    /// Of the listeners for people, by the listener's name.
    let adminSecrets: [String: SharedSecret]

    /// - Throws: every mistake of the configuration; if it has none, every mistake of what it names, and of `further`.
    init(
        file: String?, environment: [String: String], _ further: (Configuration) throws(DocumentError) -> Void = { _ in }
    ) throws(DocumentError) {
        let configuration = try Configuration(file: file, environment: environment, knownLimits: KnownLimits.settable)
        var problems = ProblemCollector()
        func collect<Value>(_ step: (Configuration) throws(DocumentError) -> Value) -> Value? {
            problems.collect { () throws(DocumentError) in try step(configuration) }
        }
        let scramUsers = collect(Self.scramUsers)
        let passwords = collect(Self.passwords)
        let authorizers = collect(Self.authorizers)
        let pages = collect(Self.pages)
        let accessKeys = collect(Self.accessKeys)
        let tokens = collect(TokenBook.init)
        let adminSecrets = collect(Self.adminSecrets)
        let calls = collect(CallSettings.init)
        _ = collect(further)
        let accessFile = collect(Self.accessFile)
        let documents = collect(ResourceDocuments.init)
        let resources = collect { (configuration) throws(DocumentError) in
            try documents.map { (documents) throws(DocumentError) in
                try ResourceSet(templates: documents.templates, host: RuleHost.host, calls: calls ?? CallSettings())
            }
        }
        let policies = collect { (configuration) throws(DocumentError) in
            try documents.map { (documents) throws(DocumentError) in
                try PolicyBook(templates: documents.templates, attached: configuration.policies, accessFile: accessFile ?? nil)
            }
        }
        let authorized = documents?.apis.flatMap(\.routes) ?? []
        let routes = collect { (_) throws(DocumentError) in try RouteTable(authorized) }
        if let tokens { Self.checkIssuers(of: authorized, among: tokens.issuers, &problems) }
        Self.checkBearers(of: authorized, on: configuration.listeners, &problems)
        try problems.finish()
        guard let scramUsers, let passwords, let authorizers, let pages, let accessKeys, let tokens, let adminSecrets, let calls,
            let documents, let resources = resources ?? nil, let policies = policies ?? nil, let routes
        else {
            throw DocumentError("the configuration cannot be used", at: SourceLocation(file: file ?? "built-in defaults"))
        }
        self.configuration = configuration
        (self.scramUsers, self.passwords, self.authorizers) = (scramUsers, passwords, authorizers)
        (self.pages, self.accessKeys, self.tokens, self.adminSecrets) = (pages, accessKeys, tokens, adminSecrets)
        (self.documents, self.resources, self.calls) = (documents, resources, calls)
        (self.routes, self.policies) = (routes, policies)
    }

    /// Reads the ACL file; that there is none to be had is a mistake of the line that names it.
    private static func accessFile(of configuration: Configuration) throws(DocumentError) -> AccessFile? {
        guard let file = configuration.accessFile else { return nil }
        do {
            return try AccessFile(file: file.path)
        } catch {
            if error.location.line > 0 { throw error }
            throw DocumentError("\(file.path): \(error.message)", at: file.location)
        }
    }

    /// Where the keys of a route's issuer are, an entry of `tokens` says.
    private static func checkIssuers(of routes: [APIRoute], among issuers: [String], _ problems: inout ProblemCollector) {
        for authorizer in routes.compactMap(\.authorizer) where !issuers.contains(authorizer.issuer) {
            problems.add(
                "the security scheme `\(authorizer.name)` trusts the issuer `\(authorizer.issuer)`, and no entry of `tokens` in the "
                    + "configuration has it: nothing says where its keys are\(suggestion(for: authorizer.issuer, among: issuers))",
                at: authorizer.location)
        }
    }

    /// Tokens that routes ask for do not cross a network unencrypted, unless the listener says so.
    private static func checkBearers(
        of routes: [APIRoute], on listeners: [ListenerConfiguration], _ problems: inout ProblemCollector
    ) {
        guard let authorizer = routes.lazy.compactMap(\.authorizer).first else { return }
        for listener in listeners where listener.protocol == .http && !listener.isLoopback && !listener.insecure {
            problems.add(
                "\(listener.address) asks for tokens (the security scheme `\(authorizer.name)` at \(authorizer.location)) without encryption; "
                    + "bind to 127.0.0.1, or say `insecure: true`", at: listener.location)
        }
    }

    /// What clients may do in general, for the log.
    var rightsText: String {
        guard policies.isEnforced else { return "rights: no policy is declared, so whoever is let in may publish and subscribe everywhere" }
        guard let file = policies.accessFile else {
            return "rights: \(policies.policies.count) policies; what no statement allows is refused"
        }
        return "rights: \(policies.policies.count) policies and an ACL file of \(file.lineCount) lines; what neither allows is refused"
    }
}
