import ArgumentParser
import Glibc
import Trust

/// `crema certs`: the certificates of a shop, without the openssl program.
struct CertsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certs",
        abstract: "Make, revoke and check certificates: an authority, the server's, and one for each client.",
        discussion: """
            The folder holds ca.crt, ca.key, server.crt, server.key, clients/NAME.crt, clients/NAME.key, and ca.crl. Keys have mode 0600. \
            Nothing that exists is written over without --force.

            Exit codes: 0 done, 1 failed, 2 usage.
            """,
        subcommands: [CertsInit.self, CertsIssue.self, CertsRevoke.self, CertsRevocationList.self, CertsCheck.self])
}

/// Options that every `crema certs` command takes.
struct CertificateFolderOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The folder with the certificates.", valueName: "path"))
    var directory = "certs"

    var folder: CertificateFolder {
        get throws {
            guard !directory.isEmpty else { throw ValidationError("--directory needs a path") }
            return CertificateFolder(path: directory.count > 1 && directory.hasSuffix("/") ? String(directory.dropLast()) : directory)
        }
    }
}

extension TrustError {
    /// How a command ends with this error: a name or a number that cannot be used is the caller's, anything else is a failure.
    ///
    /// The failure is written to standard error here, so that its line has no prefix but the command's.
    var asCommandFailure: any Error {
        switch self {
        case .unusableThingName, .unusableAlternativeName, .noAlternativeNames, .daysOutOfRange, .unusableUserName, .unusablePassword:
            return ValidationError(description)
        default:
            let line = "crema: \(description)\n"
            fputsToStandardError(line)
            return ExitCode.failure
        }
    }

    private func fputsToStandardError(_ line: String) {
        let bytes = Array(line.utf8)
        _ = unsafe write(STDERR_FILENO, bytes, bytes.count)
    }
}
