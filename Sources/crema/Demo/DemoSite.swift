import Documents
import Foundation

/// Why a configuration or a folder of certificates cannot carry a demo.
enum DemoSiteError: Error, CustomStringConvertible {
    case unreadable(String)
    case missingListener(ListenerConfiguration.ListenerProtocol)
    case missingFile(String)

    var description: String {
        switch self {
        case .unreadable(let problem): problem
        case .missingListener(let kind): "the configuration has no listener with protocol \(kind.rawValue), which the demo needs"
        case .missingFile(let path): "\(path) does not exist: make it with `make certs`"
        }
    }
}

/// Where the demo's broker is, and with which certificates it is talked to.
struct DemoSite: Sendable {
    let configurationFile: String
    let mqtts: ListenerConfiguration
    let http: ListenerConfiguration
    let admin: ListenerConfiguration
    private let certificates: String

    init(configurationFile: String, certificates: String) throws(DemoSiteError) {
        let configuration: Configuration
        do {
            configuration = try Configuration(
                file: configurationFile, environment: ProcessInfo.processInfo.environment, knownLimits: KnownLimits.settable)
        } catch {
            throw .unreadable("\(error)")
        }
        self.configurationFile = configurationFile
        self.certificates = certificates
        mqtts = try Self.listener(.mqtts, in: configuration)
        http = try Self.listener(.http, in: configuration)
        admin = try Self.listener(.admin, in: configuration)
        for name in ["ca", "clients/customer", "clients/neighbour", "clients/barista", "clients/device-1"] {
            let path = "\(certificates)/\(name).crt"
            guard FileManager.default.fileExists(atPath: path) else { throw .missingFile(path) }
        }
    }

    /// How `curl` is told to reach a path.
    func url(_ listener: ListenerConfiguration, _ path: String) -> String {
        "http://\(Self.reachable(listener.host)):\(listener.port)\(path)"
    }

    /// The options that make a mosquitto client speak mutual TLS as `name`.
    func mutualTLS(as name: String) -> [String] {
        [
            "-h", Self.reachable(mqtts.host), "-p", "\(mqtts.port)", "--cafile", "\(certificates)/ca.crt",
            "--cert", "\(certificates)/clients/\(name).crt", "--key", "\(certificates)/clients/\(name).key",
        ]
    }

    /// A name that is in the server's certificate, for an address that means this host.
    private static func reachable(_ host: String) -> String {
        ["0.0.0.0", "::", "127.0.0.1", "::1"].contains(host) ? "localhost" : host
    }

    private static func listener(
        _ kind: ListenerConfiguration.ListenerProtocol, in configuration: Configuration
    ) throws(DemoSiteError) -> ListenerConfiguration {
        guard let found = configuration.listeners.first(where: { $0.protocol == kind }) else { throw .missingListener(kind) }
        return found
    }
}
