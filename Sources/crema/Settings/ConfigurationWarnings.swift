import Documents
import EventBus
import Foundation
import Trust

/// What can be served and is most likely not meant.
extension LoadedConfiguration {
    var warnings: [(location: SourceLocation, text: String)] {
        tokens.warnings + resources.warnings + routeWarnings + passwordWarnings + secretWarnings
    }

    private var passwordWarnings: [(location: SourceLocation, text: String)] {
        configuration.listeners.compactMap { listener in
            guard let path = listener.passwords, let file = passwords[listener.name] else { return nil }
            if file.count == 0 { return (SourceLocation(file: path), "the file has no users: nobody gets in by a password") }
            guard let line = file.weakLines.first else { return nil }
            let more = file.weakLines.count == 1 ? "" : ", and \(file.weakLines.count - 1) more like it"
            return (
                SourceLocation(file: path, line: line, column: 1),
                "a password is kept as salted SHA-512 ($6$), which can be guessed at very fast\(more): give these users theirs anew"
            )
        }
    }

    /// A key's secret that stands in the configuration itself is read by whoever may read that.
    private var secretWarnings: [(location: SourceLocation, text: String)] {
        let written = (configuration.accessKeys ?? []).filter { if case .text = $0.secret { true } else { false } }
        guard let first = written.first, let mode = Self.mode(of: first.location.file), mode & 0o077 != 0 else { return [] }
        return [
            (
                first.location,
                "the secret of the access key \(first.id) stands in a file of mode \(String(mode, radix: 8)), which others may read: "
                    + "chmod 600 it, or name a `secretFile`"
            )
        ]
    }

    private static func mode(of file: String) -> Int? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        return (attributes?[.posixPermissions] as? NSNumber)?.intValue
    }

    private var routeWarnings: [(location: SourceLocation, text: String)] {
        documents.apis.flatMap(\.routes).compactMap { route in
            guard let value = route.requestParameters[.eventBusName], case .constant(let text)? = value.parts.first, value.parts.count == 1
            else { return nil }
            // A name or an ARN.
            let name = text.split(separator: "/").last.map(String.init) ?? text
            if resources.busNames.contains(name) { return nil }
            let method = route.method ?? "ANY"
            return (
                value.location,
                "\(method) \(route.path) puts its events on the bus \(name), which no template declares: they are dropped while nobody makes "
                    + "it by an API call\(suggestion(for: name, among: resources.busNames))"
            )
        }
    }
}

extension LoadedConfiguration {
    /// What can be served and wants the operator's eye, with certificates that end soon: for the log, one line each.
    var warningTexts: [String] {
        let findings = configuration.listeners.flatMap(\.certificateFindings).filter { $0.severity > .notice }
        return findings.map { "certificate: \($0)" } + warnings.map { "\($0.location): \($0.text)" }
    }

    /// Refuses files that no client could ever be served with.
    ///
    /// A date that has passed is only logged: clocks are wrong more often than a broker should stay down.
    static func checkCertificates(of configuration: Configuration) throws(DocumentError) {
        var problems = ProblemCollector()
        for listener in configuration.listeners {
            for finding in listener.certificateFindings where finding.severity == .failure && finding.subject != .expiry {
                problems.add("\(finding.file): \(finding.text)\(advice(finding, on: listener))", at: listener.location)
            }
        }
        try problems.finish()
    }

    /// Refuses all that ``checkCertificates(of:)`` does, and a data directory that cannot be used.
    static func checkEverything(of configuration: Configuration) throws(DocumentError) {
        var problems = ProblemCollector()
        _ = problems.collect { () throws(DocumentError) in try checkCertificates(of: configuration) }
        if let store = configuration.store, let obstacle = store.obstacle { problems.add(obstacle, at: store.location) }
        try problems.finish()
    }

    /// What makes a server certificate that is missing; empty for anything else.
    private static func advice(_ finding: Finding, on listener: ListenerConfiguration) -> String {
        guard finding.file == listener.certificate, !FileManager.default.fileExists(atPath: finding.file) else { return "" }
        let folder = URL(filePath: finding.file).deletingLastPathComponent().path
        return "; `crema certs init --directory \(folder)` makes one for development, with its key and an authority"
    }
}

extension StoreConfiguration {
    /// Why the directory cannot be used by this user, as far as that can be said without writing; `nil` where nothing speaks against it.
    var obstacle: String? {
        var isDirectory: ObjCBool = false
        var place = URL(filePath: directory)
        while unsafe !FileManager.default.fileExists(atPath: place.path, isDirectory: &isDirectory), place.pathComponents.count > 1 {
            place.deleteLastPathComponent()
        }
        let path = place.path
        if !isDirectory.boolValue { return "`data` names \(directory), but \(path) is a file and no directory" }
        if !FileManager.default.isWritableFile(atPath: path) { return "`data` names \(directory), but this user may not write in \(path)" }
        return nil
    }
}
