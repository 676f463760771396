import ArgumentParser
import Trust

/// `crema certs revoke NAME`: a client's certificate counts no more.
struct CertsRevoke: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke one client's certificate: write the authority's revocation list, ca.crl, anew.",
        discussion: """
            Listeners that name the list as `crl` take it at the next reload (`crema reload`, SIGHUP): then the client is refused, and closed \
            if it is connected. The list must be renewed before its next update is due, by this command or by `crema certs crl`: once it \
            has ended, those listeners refuse every client.
            """)

    @OptionGroup var options: CertificateFolderOptions

    @Argument(help: "The client's name.")
    var name: String

    @Option(help: "In how many days the next list is due, at most 825.")
    var days = CertificateLimits.revocationDays

    func run() throws {
        do {
            let folder = try options.folder
            let (list, certificate) = try folder.revoke(name: ThingName(name), days: days)
            print("revoked \(certificate)")
            print("\(folder.revocationFile): \(list)")
        } catch let error as TrustError {
            throw error.asCommandFailure
        }
    }
}

/// `crema certs crl`: the revocation list again, with a new date.
struct CertsRevocationList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crl",
        abstract: "Write the authority's revocation list, ca.crl, anew, with what is revoked so far; an empty one if there is none.")

    @OptionGroup var options: CertificateFolderOptions

    @Option(help: "In how many days the next list is due, at most 825.")
    var days = CertificateLimits.revocationDays

    func run() throws {
        do {
            let folder = try options.folder
            print("\(folder.revocationFile): \(try folder.renewRevocations(days: days))")
        } catch let error as TrustError {
            throw error.asCommandFailure
        }
    }
}
