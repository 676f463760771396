import ArgumentParser
import Foundation
import Trust

/// `crema users`: the file of users who authenticate by SCRAM-SHA-256.
struct UsersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "Keep the file of users that a listener names as scramUsers.",
        subcommands: [UsersAdd.self])
}

/// `crema users add NAME`: a user with a password, in place of one of the same name.
struct UsersAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a user, or change a user's password.",
        discussion: """
            The password is the first line of the standard input; a terminal does not show it. The file holds no password, only what \
            checks one. A running broker takes the file anew on SIGHUP.
            """)

    @Option(help: "The file; it is made if it is not there, readable by its owner only.")
    var file: String

    @Argument(help: "The user's name, which becomes the client's principal.")
    var name: String

    func run() throws {
        do throws(TrustError) {
            try ScramUsersFile(path: file).set(password: try Self.password(), of: name)
        } catch {
            throw error.asCommandFailure
        }
        print("\(file): the user '\(name)' is there")
    }

    /// Reads a line that a terminal does not echo.
    private static func password() throws(TrustError) -> String {
        var settings = termios()
        let isTerminal = unsafe tcgetattr(STDIN_FILENO, &settings) == 0
        if isTerminal {
            FileHandle.standardError.write(Data("Password: ".utf8))
            var silent = settings
            silent.c_lflag &= ~tcflag_t(ECHO)
            _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &silent)
        }
        let line = readLine()
        if isTerminal {
            _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &settings)
            FileHandle.standardError.write(Data("\n".utf8))
        }
        guard let line, !line.isEmpty else { throw .unusablePassword(reason: "there is none on the standard input") }
        return line
    }
}
