import ArgumentParser
import Trust

/// `crema certs init`: an authority and a server certificate, as far as they are missing.
struct CertsInit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make an authority and the server's certificate.",
        discussion: """
            What is there and sound is kept, so this may be run again and again. The authority is never replaced: to start anew, \
            remove ca.crt and ca.key, and issue every certificate again.
            """)

    @OptionGroup var options: CertificateFolderOptions

    @Option(
        help: ArgumentHelp(
            "Names and addresses that clients reach the server by, with commas between; may be given several times. "
                + "(default: localhost, 127.0.0.1, ::1 and this machine's name)", valueName: "names"))
    var san: [String] = []

    @Option(help: "How many days the server's certificate lives, at most 825.")
    var days = CertificateLimits.leafDaysMax

    @Flag(help: "Replace the server's certificate and key even if they are sound.")
    var force = false

    func run() throws {
        do {
            var names: [AlternativeName] = []
            for text in san.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
                names.append(try AlternativeName(parsing: String(text)))
            }
            let changes = try options.folder.initialise(san: san.isEmpty ? nil : names, days: days, force: force)
            for change in changes {
                print(change)
            }
        } catch let error as TrustError {
            throw error.asCommandFailure
        }
    }
}
