import Documents
import EventBus
import Foundation
import Logging
import Queues
import Trust

/// What `crema check` found, in the shape of its JSON.
struct CheckReport: Encodable {
    struct Listener: Encodable {
        var address: String
        var `protocol`: String
        var authentication: String
        var location: String
    }

    /// What outlives the process.
    struct Store: Encodable {
        /// `nil` when everything is in memory.
        var data: String?
        var durability: String
        var kept: String?
        var inMemory: String
    }

    struct Rule: Encodable {
        var name: String
        var kind: String
        var bus: String?
        var enabled: Bool
        var location: String
    }

    struct Route: Encodable {
        /// `ANY` for every method.
        var method: String
        var path: String
        var location: String
        /// The service that the route would call, and Crema does not have: it is answered 501.
        var unserved: String?
    }

    /// A resource of a type that Crema does not serve.
    struct UnknownResource: Encodable {
        var logicalID: String
        var type: String
        var location: String
    }

    struct CertificateFinding: Encodable {
        var severity: String
        var subject: String
        var file: String
        var text: String
        var daysLeft: Int64?
    }

    struct Problem: Encodable {
        var file: String
        var line: Int
        var column: Int
        var message: String
    }

    var ok = true
    var listeners: [Listener] = []
    var store: Store?
    var buses: [String] = []
    var queues: [String] = []
    var rules: [Rule] = []
    var routes: [Route] = []
    var unknownResources: [UnknownResource] = []
    var certificates: [CertificateFinding] = []
    /// What can be served and is most likely not meant.
    var warnings: [Problem] = []
    var errors: [Problem] = []

    /// A configuration that cannot be used.
    init(_ error: DocumentError) {
        ok = false
        errors = error.problems.map { Problem($0.message, at: $0.location) }
    }

    init(_ loaded: LoadedConfiguration) {
        listeners = loaded.configuration.listeners.map { listener in
            Listener(
                address: listener.address, protocol: listener.protocol.rawValue, authentication: listener.authentication.text,
                location: "\(listener.location)")
        }
        store = Store(loaded.configuration.store)
        buses = loaded.resources.busNames
        queues = loaded.resources.queues.map(\.name)
        let engine = EventEngine(resources: loaded.resources, logger: Logger(label: "check"))
        rules = engine.ruleStatistics().map {
            Rule(name: $0.name, kind: $0.kind.rawValue, bus: $0.bus, enabled: $0.enabled, location: "\($0.location)")
        }
        routes = loaded.documents.apis.flatMap(\.routes).map {
            Route(method: $0.method ?? "ANY", path: $0.path, location: "\($0.location)", unserved: $0.unservedService)
        }
        unknownResources = loaded.documents.templates.flatMap(\.unknownResources).map {
            UnknownResource(logicalID: $0.logicalID, type: $0.type, location: "\($0.location)")
        }
        let findings = loaded.configuration.listeners.flatMap(\.certificateFindings)
        certificates = findings.map {
            CertificateFinding(
                severity: $0.severity.name, subject: $0.subject.rawValue, file: $0.file, text: $0.text, daysLeft: $0.daysLeft)
        }
        warnings = loaded.warnings.map { Problem($0.text, at: $0.location) }
        // A certificate that has ended or ends soon; others are errors.
        ok = !findings.contains { $0.severity == .failure }
    }
}

extension CheckReport {
    /// One line for each finding, under headings.
    var lines: [String] {
        guard errors.isEmpty else { return errors.map(\.text) }
        return section("Listeners", listeners.map { "\($0.address)  \($0.protocol)  \($0.authentication)" })
            + (store?.lines ?? [])
            + section("Buses", buses)
            + section("Queues", queues)
            + section("Rules", rules.map(\.line))
            + section("API routes", routes.filter { $0.unserved == nil }.map { "\($0.method) \($0.path)  \($0.location)" })
            + section("API routes of services that Crema does not have, answered 501", routes.compactMap(\.unservedLine))
            + section("Resources of other types, not served", unknownResources.map { "\($0.logicalID)  \($0.type)  \($0.location)" })
            + section("Certificates", certificates.map { "\($0.severity): \($0.file): \($0.text)" })
            + section("Warnings", warnings.map(\.text))
    }

    private func section(_ title: String, _ lines: [String]) -> [String] {
        lines.isEmpty ? [] : ["\(title) (\(lines.count))"] + lines.map { "  " + $0 }
    }
}

extension CheckReport.Problem {
    fileprivate init(_ message: String, at location: SourceLocation) {
        self.init(file: location.file, line: location.line, column: location.column, message: message)
    }

    fileprivate var text: String { (line > 0 ? "\(file):\(line):\(column)" : file) + ": \(message)" }
}

extension CheckReport.Route {
    fileprivate var unservedLine: String? { unserved.map { "\(method) \(path)  \($0)  \(location)" } }
}

extension APIRoute {
    fileprivate var unservedService: String? {
        if case .unserved(let service) = integration { service } else { nil }
    }
}

extension CheckReport.Rule {
    fileprivate var line: String {
        let place = bus.map { "on \($0)" } ?? "for MQTT messages"
        return "\(name)  \(kind) rule \(place)\(enabled ? "" : ", disabled")  \(location)"
    }
}

extension CheckReport.Store {
    init(_ store: StoreConfiguration?) {
        data = store?.directory
        durability =
            switch store?.durability {
            case nil: "memory"
            case .relaxed(let milliseconds): "relaxed(\(milliseconds))"
            case .strict: "strict"
            }
        kept = store == nil ? nil : SiteStore.kept
        inMemory = store == nil ? "\(SiteStore.kept), \(SiteStore.inMemory)" : SiteStore.inMemory
    }

    var lines: [String] {
        ["Store", "  durability: \(durability)"] + (data.map { ["  data: \($0)"] } ?? []) + (kept.map { ["  kept: \($0)"] } ?? [])
            + ["  in memory: \(inMemory)"]
    }
}
