import ArgumentParser
import Documents
import Foundation
import MQTTCodec
import Rights

/// `crema acl`: rights, as the configuration gives them.
struct ACLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "acl", abstract: "Say what clients may do.", subcommands: [ACLExplainCommand.self])
}

/// `crema acl explain`: the statement that decides.
///
/// Reads the configuration and its resources; asks no broker.
struct ACLExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Name the statement that allows or denies what a client asks.",
        discussion: """
            For example: crema acl explain customer iot:Subscribe serverlesspresso-user-customer

            Exit codes: 0 allowed, 2 usage or configuration, 4 refused.
            """)

    @OptionGroup var configuration: ConfigurationOptions

    @Argument(help: "The name in the client's certificate, or of its user; - for a client that proved nothing.")
    var principal: String

    @Argument(
        help: ArgumentHelp("iot:Connect, iot:Publish, iot:RetainPublish, iot:Subscribe, iot:Receive, or a call's, as events:PutEvents."))
    var action: String

    @Argument(
        help: ArgumentHelp(
            "A client identifier, a topic or a topic filter, as the action is asked for; for a call an ARN, or what follows the account in it: "
                + "event-bus/orders, or the name of a queue."))
    var resource: String

    @Option(help: "The client identifier. (default: the principal)")
    var clientID: String?

    @Option(help: ArgumentHelp("A claim of the client's token, for ${jwt:NAME}; may be given again.", valueName: "name=value"))
    var claim: [String] = []

    @Flag(help: "Print the decision as JSON.")
    var json = false

    func run() throws {
        let policies: PolicyBook
        do {
            policies = try configuration.load().policies
        } catch {
            for problem in error.problems { TerminalOutput.error.writeLine("crema acl explain: \(problem)") }
            throw ExitCode(2)
        }
        guard let asked = PolicyAction(named: action) else {
            let known = PolicyAction.allCases.map(\.rawValue)
            throw ValidationError("there is no action '\(action)'\(suggestion(for: action, among: known))")
        }
        if asked == .publish || asked == .retainPublish {
            do { try Topics.validate(name: Array(resource.utf8).span, in: .publish) } catch {
                throw ValidationError("'\(resource)' is no topic name, and is published on by nobody: \(error)")
            }
        }
        let proved = principal == "-" ? nil : principal
        let subject = PolicySubject(
            clientID: clientID ?? (asked == .connect ? resource : proved ?? ""), principal: proved, attributes: try attributes())
        let explanation = Explanation(policies, asked, resource, subject)
        try TerminalOutput.standard.write(line: json ? try explanation.jsonText() : TerminalText.escaped(explanation.text))
        if !explanation.document.allowed { throw ExitCode(4) }
    }

    private func attributes() throws -> [String: String] {
        var attributes: [String: String] = [:]
        for text in claim {
            guard let sign = text.firstIndex(of: "="), sign != text.startIndex else {
                throw ValidationError("--claim is '\(text)', and must be NAME=VALUE")
            }
            attributes[ClaimVariable.prefix + text[..<sign]] = String(text[text.index(after: sign)...])
        }
        return attributes
    }
}

/// A decision, for people and for programs.
private struct Explanation {
    struct Document: Encodable {
        var allowed: Bool
        var enforced: Bool
        var policy: String?
        /// Of a policy its `Sid` or place, of an ACL file its access and filter.
        var statement: String?
        var location: String?
        /// The policies that stand for the client.
        var policies: [String]
    }

    let document: Document
    let text: String

    init(_ book: PolicyBook, _ action: PolicyAction, _ resource: String, _ subject: PolicySubject) {
        let policies = book.policies(of: subject).map(\.name)
        let arn = resource.hasPrefix("arn:") ? resource : "arn:aws:\(action.service):us-east-1:000000000000:\(resource)"
        let asked = "\(action.rawValue) on \(action.isOfMQTT ? "\(action.resourceKind)/\(resource)" : arn)"
        guard book.isEnforced else {
            text = "allowed: \(asked): no policy is declared, so whoever is let in may do everything"
            document = Document(allowed: true, enforced: false, policies: policies)
            return
        }
        let grants = book.grants(of: subject)
        switch action.isOfMQTT ? grants.decide(action, resource) : grants.decide(action, arn: arn) {
        case .allowed(let statement):
            text = "allowed: \(asked) by statement \(statement.name) of the policy \(statement.policy), \(statement.location)"
            document = Document(true, statement, policies)
        case .denied(let statement):
            text = "denied: \(asked) by statement \(statement.name) of the policy \(statement.policy), \(statement.location)"
            document = Document(false, statement, policies)
        case .granted(let line):
            text = "allowed: \(asked) by `\(line.access.rawValue) \(line.filter)`, \(line.location)"
            document = Document(true, line, policies)
        case .withheld(let line):
            text = "denied: \(asked) by `\(line.access.rawValue) \(line.filter)`, \(line.location)"
            document = Document(false, line, policies)
        case .certificateTakenBack(let status):
            // What came by API is not read here.
            text = "denied: \(asked): the certificate is \(status)"
            document = Document(allowed: false, enforced: true, policies: policies)
        case .leftToTheListener:
            text = "allowed: \(asked): an ACL file says nothing of connecting, and no policy denies it"
            document = Document(allowed: true, enforced: true, policies: policies)
        case .notAllowed:
            let file = book.accessFile == nil ? "" : ", and no line of the ACL file grants it"
            let known = policies.isEmpty ? "no policy stands for the client" : "of \(policies.joined(separator: ", "))"
            text = "denied: \(asked): no statement allows it, \(known)\(file)"
            document = Document(allowed: false, enforced: true, policies: policies)
        }
    }

    func jsonText() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(document), as: UTF8.self)
    }
}

extension Explanation.Document {
    init(_ allowed: Bool, _ statement: Policy.Statement, _ policies: [String]) {
        self.init(
            allowed: allowed, enforced: true, policy: statement.policy, statement: statement.name, location: "\(statement.location)",
            policies: policies)
    }

    init(_ allowed: Bool, _ line: AccessLine, _ policies: [String]) {
        self.init(
            allowed: allowed, enforced: true, statement: "\(line.access.rawValue) \(line.filter)", location: "\(line.location)",
            policies: policies)
    }
}
