import ArgumentParser
import FoundationEssentials
import Trust

/// What every command that asks a running broker takes.
struct InspectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the broker's admin listener is (default: $CREMA_ADMIN, else \(InspectionOptions.standardAddress)).", valueName: "url"))
    var admin: String?

    @Flag(help: "Write JSON instead of a table.")
    var json = false

    static let standardAddress = "http://127.0.0.1:9090"

    /// What is shown to the admin listener: `CREMA_ADMIN_TOKEN`, or what the file `CREMA_ADMIN_TOKEN_FILE` holds; `nil` for nothing.
    ///
    /// No option, since those of a process can be read by everybody on the machine.
    func token(environment: [String: String] = ProcessInfo.processInfo.environment) throws(InspectionFailure) -> String? {
        var text = environment["CREMA_ADMIN_TOKEN"] ?? ""
        if text.isEmpty, let path = environment["CREMA_ADMIN_TOKEN_FILE"], !path.isEmpty {
            do throws(TrustError) { text = String(decoding: try SecretFile.read(path), as: UTF8.self) } catch {
                throw .usage("CREMA_ADMIN_TOKEN_FILE: \(TerminalText.escaped(error.description))")
            }
        }
        if text.isEmpty { return nil }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .usage("CREMA_ADMIN_TOKEN must be printable ASCII without blanks")
        }
        return text
    }

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
