import ArgumentParser
import Foundation
import Trust

/// `crema users`: the files of users who prove a password.
struct UsersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "Keep the file of users that a listener names as passwords or scramUsers.",
        discussion: "A running broker takes the file anew on SIGHUP.",
        subcommands: [UsersAdd.self, UsersRemove.self, UsersList.self])
}

/// Which file, and of which kind.
struct UsersFileOptions: ParsableArguments {
    @Option(help: "A file for `scramUsers`: clients of MQTT 5 prove their password by SCRAM-SHA-256.")
    var file: String?

    @Option(help: "A file for `passwords`, in mosquitto's format: clients give their password in CONNECT.")
    var passwords: String?

    func validate() throws {
        guard (file == nil) != (passwords == nil) else { throw ValidationError("Name the file by one of --passwords and --file.") }
    }

    var path: String { file ?? passwords ?? "" }
}

/// `crema users add NAME`: a user with a password, in place of one of the same name.
struct UsersAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a user, or change a user's password.",
        discussion: """
            The password is the first line of the standard input; a terminal does not show it. The file holds no password, only what \
            checks one. It is made if it is not there, and only its owner may read it.
            """)

    @OptionGroup var file: UsersFileOptions

    @Option(help: "How a password file keeps the password: argon2id, or pbkdf2 for a mosquitto older than 2.1.")
    var hash: PasswordHash.Kind?

    @Argument(help: "The user's name, which becomes the client's principal.")
    var name: String

    func validate() throws {
        if hash != nil, file.passwords == nil { throw ValidationError("--hash is for a file named by --passwords.") }
    }

    func run() throws {
        do throws(TrustError) {
            if file.passwords != nil {
                try PasswordUsersFile(path: file.path).set(password: try Self.password(), of: name, by: hash ?? .argon2id)
            } else {
                try ScramUsersFile(path: file.path).set(password: try Self.password(), of: name)
            }
        } catch {
            throw error.asCommandFailure
        }
        print("\(file.path): the user '\(name)' is there")
    }

    /// Reads a line that a terminal does not echo.
    private static func password() throws(TrustError) -> String {
        var settings = termios()
        let isTerminal = unsafe tcgetattr(STDIN_FILENO, &settings) == 0
        if isTerminal {
            var silent = settings
            silent.c_lflag &= ~tcflag_t(ECHO)
            _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &silent)
            // Only now: who answers at once is not to see the answer.
            FileHandle.standardError.write(Data("Password: ".utf8))
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

extension PasswordHash.Kind: ExpressibleByArgument {}

/// `crema users remove NAME`: the user is there no more.
struct UsersRemove: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Take a user out of the file.")

    @OptionGroup var file: UsersFileOptions

    @Argument(help: "The user's name.")
    var name: String

    func run() throws {
        do throws(TrustError) {
            if file.passwords != nil {
                try PasswordUsersFile(path: file.path).remove(name)
            } else {
                try ScramUsersFile(path: file.path).remove(name)
            }
        } catch {
            throw error.asCommandFailure
        }
        print("\(file.path): the user '\(name)' is gone")
    }
}

/// `crema users list`: who is in the file, and what is kept of each password.
struct UsersList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the users of a file.")

    @OptionGroup var file: UsersFileOptions

    func run() throws {
        var table = Table(["USER": .left, "PASSWORD": .left])
        do throws(TrustError) {
            let users =
                if file.passwords != nil {
                    try PasswordUsersFile(path: file.path).users()
                } else {
                    try ScramUsersFile(path: file.path).users()
                }
            for user in users { table.add([Table.Cell(user.name), Table.Cell(user.kept)]) }
        } catch {
            throw error.asCommandFailure
        }
        for line in table.lines(styled: { text, _ in text }) { print(line) }
    }
}
