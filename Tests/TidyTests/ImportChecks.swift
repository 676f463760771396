/// Which modules each target may import: the arrows of the architecture.
///
/// The standard library's own modules are free to all. The C library is not: the codec, the rules and the core ask no system for anything.
let allowedImports: [String: Set<String>] = [
    "COpenSSL": [],
    "CArgon2": [],
    "CLibSSL": [],
    "Trust": ["CArgon2", "COpenSSL", "Glibc"],
    "MQTTCodec": ["NIOCore"],
    // Glibc for its mathematical functions, each imported by its name.
    "Rules": ["Glibc"],
    "Tokens": ["Rules", "Trust"],
    "Documents": ["Yams", "Foundation"],
    "Rights": ["Documents", "Glibc"],
    "BrokerCore": ["MQTTCodec", "NIOCore", "DequeModule", "HeapModule"],
    "Records": [],
    // Foundation for the bytes that GRDB takes, files and a thread; Glibc for the rights of a file; SQLite itself to read a million rows.
    "BrokerStore": [
        "BrokerCore", "MQTTCodec", "Records", "NIOCore", "Logging", "GRDB", "GRDBSQLite", "Foundation", "Dispatch", "Glibc",
    ],
    // C, over SQLite's own interface: no Swift file.
    "FaultyDisk": [],
    "Queues": ["Records", "Rules", "DequeModule", "HeapModule"],
    "EventBus": [
        "Rules", "BrokerCore", "Documents", "MQTTCodec", "Queues", "Records", "NIOCore", "DequeModule", "HeapModule", "Logging", "Glibc",
    ],
    "Things": ["Documents", "EventBus", "Records", "Rights", "Rules", "Trust"],
    "OutboundHTTP": ["EventBus", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL", "AsyncHTTPClient", "Glibc"],
    "WebSocketFraming": ["NIOCore", "NIOWebSocket"],
    "BrokerServer": [
        "BrokerCore", "HTTPExchange", "MQTTCodec", "Rights", "Tokens", "Trust", "WebSocketFraming", "NIOCore", "NIOHTTP1", "NIOPosix",
        "NIOSSL",
        "NIOTLS",
        "NIOWebSocket", "Logging", "DequeModule", "Synchronization", "Dispatch", "Glibc",
    ],
    "HTTPExchange": ["BrokerCore", "NIOCore", "NIOHTTP1", "Logging", "Glibc"],
    "HTTPListening": [
        "HTTPExchange", "BrokerCore", "NIOCore", "NIOHTTP1", "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "Hummingbird", "HummingbirdCore",
        "HTTPTypes", "ServiceLifecycle", "Logging",
    ],
    "Gateway": [
        // MQTTCodec for what back ends publish: topics and headers.
        "EventBus", "HTTPExchange", "HTTPListening", "BrokerCore", "Documents", "MQTTCodec", "Queues", "Rights", "Rules", "Things",
        "Tokens", "Trust", "NIOCore", "NIOHTTP1", "Hummingbird", "HTTPTypes", "ServiceLifecycle", "Logging", "Synchronization",
    ],
    // C and what browsers read: no Swift file.
    "ConsolePages": [],
    "Console": ["ConsolePages"],
    // MQTTCodec for the topic filters that people ask by; Rules for why a pattern misses an event.
    "AdminServer": [
        "Console", "EventBus", "HTTPExchange", "HTTPListening", "BrokerCore", "MQTTCodec", "Queues", "Rules", "NIOCore", "Hummingbird",
        "HTTPTypes",
        "ServiceLifecycle", "Logging", "FoundationEssentials",
    ],
    "LoadGenerator": [
        "CLibSSL", "MQTTCodec", "WebSocketFraming", "NIOCore", "NIOPosix", "NIOSSL", "NIOWebSocket", "Histogram", "FoundationEssentials",
        "Glibc",
    ],
    "CremaTesting": [
        "BrokerCore", "MQTTCodec", "Records", "Tokens", "Trust", "NIOCore", "NIOEmbedded", "NIOPosix", "Hummingbird", "HTTPTypes",
        "ServiceLifecycle", "Logging", "Glibc",
    ],
    // Command line and wiring: everything that another target may import, and what only an executable needs.
    "crema": [
        "AdminServer", "BrokerCore", "BrokerServer", "BrokerStore", "Documents", "EventBus", "Gateway", "HTTPExchange", "HTTPListening",
        "LoadGenerator", "MQTTCodec", "OutboundHTTP", "Queues", "Records", "Rights", "Rules", "Things", "Tokens", "Trust",
        "NIOCore", "NIOPosix", "NIOSSL", "Hummingbird", "Logging", "ArgumentParser", "AsyncHTTPClient", "ServiceLifecycle", "Foundation",
        "FoundationEssentials", "Glibc", "Dispatch", "NIOHTTP1", "UnixSignals",
    ],
]

private let standardLibrary: Set = ["Swift", "Synchronization"]

/// Imports that the table does not allow, and targets that it does not know.
func forbiddenImports(_ files: [TextFile], allowed: [String: Set<String>]) -> [Finding] {
    files.flatMap { file -> [Finding] in
        guard let target = file.target, file.isSwift else { return [] }
        guard let modules = allowed[target] else { return [Finding(path: file.path, reason: "\(target) is in no table of imports")] }
        return SwiftText(file.text).lines.enumerated().compactMap { index, line in
            guard let module = importedModule(line), !modules.contains(module), !standardLibrary.contains(module) else { return nil }
            return Finding(path: file.path, line: index + 1, reason: "\(target) must not import \(module)")
        }
    }
}

/// The module that a line of code imports; of `import struct A.B`, it is `A`.
private func importedModule(_ line: Substring) -> String? {
    let words = line.split(separator: " ")
    guard let keyword = words.firstIndex(of: "import"), keyword + 1 < words.count else { return nil }
    let modifiers: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
    guard words[..<keyword].allSatisfy({ modifiers.contains($0) || $0.hasPrefix("@") }) else { return nil }
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
    let path = kinds.contains(words[keyword + 1]) ? words.last : words[keyword + 1]
    return path.flatMap { $0.split(separator: ".").first }.map(String.init)
}

/// Dependencies in Package.swift that the table does not allow, and targets that only one of the two knows.
func forbiddenDependencies(manifest: TextFile, allowed: [String: Set<String>]) -> [Finding] {
    let declared = declaredDependencies(manifest.text)
    let unknown = Set(declared.keys).symmetricDifference(allowed.keys).sorted()
        .map { Finding(path: manifest.path, reason: "\($0) is not in both: the manifest and the table of imports") }
    let forbidden = declared.sorted { $0.key < $1.key }.flatMap { target, dependencies in
        dependencies.subtracting(allowed[target] ?? dependencies).sorted()
            .map { Finding(path: manifest.path, reason: "\(target) must not depend on \($0)") }
    }
    return unknown + forbidden
}

/// What each target that is no test depends on, by module name, as far as the manifest's text tells.
func declaredDependencies(_ manifest: String) -> [String: Set<String>] {
    var constants: [Substring: String] = [:]
    for match in manifest.matches(of: #/let (\w+) = Target\.Dependency\.product\(name: "(\w+)"/#) {
        constants[match.1] = String(match.2)
    }
    var result: [String: Set<String>] = [:]
    let declaration = #/\.(?:target|executableTarget|systemLibrary)\(\s*name: "(\w+)"(?:,\s*dependencies: \[((?:[^\[\]])*)\])?/#
    for match in manifest.matches(of: declaration) {
        let list = match.2 ?? ""
        let products = list.matches(of: #/\.product\(name: "(\w+)"/#).map { String($0.1) }
        let plain = list.replacing(#/\.product\([^)]*\)/#, with: "")
        let targets = plain.matches(of: #/"(\w+)"/#).map { String($0.1) }
        let named = plain.replacing(#/"\w+"/#, with: "").matches(of: #/\w+/#).compactMap { constants[$0.0] }
        result[String(match.1)] = Set(products + targets + named)
    }
    return result
}
