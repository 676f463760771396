import ArgumentParser
import Trust

/// `crema certs issue NAME`: a certificate for one client.
struct CertsIssue: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue",
        abstract: "Make a certificate and a key for one client.",
        discussion: """
            NAME becomes the client's principal. It has 1 to 64 letters, digits, '.', '_', ':' and '-', and begins with a letter or a \
            digit. A pair that is there and sound is kept.
            """)

    @OptionGroup var options: CertificateFolderOptions

    @Argument(help: "The client's name.")
    var name: String

    @Option(help: "How many days the certificate lives, at most 825.")
    var days = CertificateLimits.leafDaysMax

    @Flag(help: "Replace the client's certificate and key even if they are sound.")
    var force = false

    func run() throws {
        do {
            print(try options.folder.issue(name: ThingName(name), days: days, force: force))
        } catch let error as TrustError {
            throw error.asCommandFailure
        }
    }
}
