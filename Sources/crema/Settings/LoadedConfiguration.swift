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
    func load() throws(DocumentError) -> LoadedConfiguration {
        try LoadedConfiguration(file: config, environment: ProcessInfo.processInfo.environment)
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

    /// - Throws: every mistake of the configuration; if it has none, every mistake of the files that it names; if they have none, every
    ///   mistake of the resources in them.
    init(file: String?, environment: [String: String]) throws(DocumentError) {
        let configuration = try Configuration(file: file, environment: environment, knownLimits: KnownLimits.settable)
        scramUsers = try Self.scramUsers(of: configuration)
        passwords = try Self.passwords(of: configuration)
        authorizers = try Self.authorizers(of: configuration)
        pages = try Self.pages(of: configuration)
        accessKeys = try Self.accessKeys(of: configuration)
        tokens = try TokenBook(configuration)
        adminSecrets = try Self.adminSecrets(of: configuration)
        let documents = try ResourceDocuments(of: configuration)
        var problems = ProblemCollector()
        let calls = try CallSettings(configuration)
        let resources = problems.collect { () throws(DocumentError) in
            try ResourceSet(templates: documents.templates, host: RuleHost.host, calls: calls)
        }
        let policies = problems.collect { () throws(DocumentError) in
            let accessFile = try configuration.accessFile.map { (file) throws(DocumentError) in try AccessFile(file: file.path) }
            return try PolicyBook(templates: documents.templates, attached: configuration.policies, accessFile: accessFile)
        }
        let routes = problems.collect { () throws(DocumentError) in try RouteTable(documents.apis.flatMap(\.routes)) }
        for authorizer in documents.apis.flatMap(\.routes).compactMap(\.authorizer) where !tokens.issuers.contains(authorizer.issuer) {
            problems.add(
                "the security scheme `\(authorizer.name)` trusts the issuer `\(authorizer.issuer)`, and no entry of `tokens` in the "
                    + "configuration has it: nothing says where its keys are\(suggestion(for: authorizer.issuer, among: tokens.issuers))",
                at: authorizer.location)
        }
        Self.checkBearers(of: documents.apis.flatMap(\.routes), on: configuration.listeners, &problems)
        try problems.finish()
        guard let resources, let routes, let policies else {
            throw DocumentError("the resources cannot be compiled", at: SourceLocation(file: file ?? "built-in defaults"))
        }
        self.configuration = configuration
        self.documents = documents
        self.resources = resources
        self.calls = calls
        self.routes = routes
        self.policies = policies
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
