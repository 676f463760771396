import ArgumentParser
import Trust

/// `crema certs check`: whether everything in the folder works, and for how long.
struct CertsCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check chains, keys, dates, names and file modes; change nothing.",
        discussion: "Ends with 1 if something does not work. What ends within 30, 7 or 1 days is a notice, a warning, critical.")

    @OptionGroup var options: CertificateFolderOptions

    @Flag(help: "Print every finding as one JSON array.")
    var json = false

    func run() throws {
        let findings = try options.folder.check()
        if json {
            print(Self.json(findings))
        } else {
            // When all is well the line with the dates stands for the certificate.
            for finding in findings where finding.severity > .ok || finding.subject == .expiry {
                print(finding)
            }
        }
        if findings.contains(where: { $0.severity == .failure }) {
            throw ExitCode.failure
        }
    }

    /// One object a line, keys always in this order, so that two runs can be compared.
    static func json(_ findings: [Finding]) -> String {
        let objects = findings.map { finding in
            let days = finding.daysLeft.map { ", \"daysLeft\": \($0)" } ?? ""
            return "  {\"severity\": \(quoted(finding.severity.name)), \"subject\": \(quoted(finding.subject.rawValue)), "
                + "\"file\": \(quoted(finding.file)), \"text\": \(quoted(finding.text))\(days)}"
        }
        return objects.isEmpty ? "[]" : "[\n" + objects.joined(separator: ",\n") + "\n]"
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{0}"..."\u{1F}": quoted += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
