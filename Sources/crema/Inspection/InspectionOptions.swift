import ArgumentParser
import FoundationEssentials

/// What every command that asks a running broker takes.
struct InspectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the broker's admin listener is (default: $CREMA_ADMIN, else \(InspectionOptions.standardAddress)).", valueName: "url"))
    var admin: String?

    @Flag(help: "Write JSON instead of a table.")
    var json = false

    static let standardAddress = "http://127.0.0.1:9090"

    /// The address, without a slash at its end: the option, else the environment, else the standard one.
    func address(environment: [String: String] = ProcessInfo.processInfo.environment) throws(InspectionFailure) -> String {
        let variable = environment["CREMA_ADMIN"].flatMap { $0.isEmpty ? nil : $0 }
        let text = admin ?? variable ?? Self.standardAddress
        guard let url = URL(string: text), let scheme = url.scheme, scheme == "http" || scheme == "https",
            let host = url.host(), !host.isEmpty, url.query() == nil, url.fragment() == nil,
            // The HTTP client takes whatever number stands there for one of 16 bits.
            (1...65_535).contains(url.port ?? 80)
        else {
            let origin = admin == nil && variable != nil ? "CREMA_ADMIN" : "--admin"
            throw .usage("\(origin): '\(TerminalText.escaped(text))' is no URL like \(Self.standardAddress)")
        }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }
}
