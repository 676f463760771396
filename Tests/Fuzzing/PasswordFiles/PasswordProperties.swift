import FuzzDriver
import Trust

/// What holds for every password file, whatever its bytes are.
///
/// No password is tried: a file may ask for seconds of work, which is what it is there for.
struct PasswordProperties {
    private let text: [UInt8]
    /// Those that say something, as they are.
    private let lines: [ArraySlice<UInt8>]

    init(text: [UInt8]) {
        self.text = text
        lines = text.split(separator: UInt8(ascii: "\n")).filter { $0.first != UInt8(ascii: "#") && !$0.elementsEqual("\r".utf8) }
    }

    func check() {
        do throws(TrustError) {
            let file = try PasswordFile(text: text)
            checkUsers(of: file)
        } catch {
            checkWords(error.description)
        }
    }

    /// Every line is a user, and nobody else is one (CVE-2018-12551: a line that was not understood let its user in without a password).
    private func checkUsers(of file: PasswordFile) {
        require(file.count == lines.count, "\(file.count) users in \(lines.count) lines")
        require(file.weakLines.allSatisfy { $0 >= 1 }, "a line without a number")
        for line in lines {
            let name = Array(line.prefix { $0 != UInt8(ascii: ":") })
            require(!name.isEmpty && name.count < line.count, "a line without a name is taken")
            require(file.entry(of: name)?.fingerprint != nil, "a user that is not there")
            let user = String(decoding: name, as: UTF8.self)
            require(file.fingerprint(of: user) == file.entry(of: name)?.fingerprint, "two answers of one user")
            // Some user's hash stands for an unknown one, always the same.
            let unknown = name + Array(":".utf8)
            require(file.entry(of: unknown)?.userName == unknown, "an unknown user is taken for another")
            require(file.entry(of: unknown)?.fingerprint == file.entry(of: unknown)?.fingerprint, "another hash at each look")
            require(file.fingerprint(of: user + ":") == nil, "an unknown user is known")
        }
        if lines.isEmpty { require(file.entry(of: [0x61]) == nil, "a user of an empty file") }
        let again = try? PasswordFile(text: text + Array("\n# nothing\n\n".utf8))
        require(again?.count == file.count && again?.weakLines == file.weakLines, "lines that say nothing say something")
    }

    /// What is said of a file is one line, with nothing in it of what might be a password.
    private func checkWords(_ words: String) {
        require(!words.isEmpty && words.utf8.count < 8 * 1_024, "an error of \(words.utf8.count) bytes")
        require(!words.unicodeScalars.contains { $0.properties.generalCategory == .control }, "control characters in an error")
        for line in lines {
            let name = line.prefix { $0 != UInt8(ascii: ":") }
            let secret = String(decoding: line.dropFirst(name.count + 1), as: UTF8.self)
            // Shorter ones may be words of the error's own, and a name is told.
            guard secret.utf8.count > 40, !String(decoding: name, as: UTF8.self).contains(secret) else { continue }
            require(!words.contains(secret), "a hash, or a password, in an error")
        }
    }
}
