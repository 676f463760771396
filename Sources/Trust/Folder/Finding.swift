/// One thing that an inspection of the certificate folder found out.
package struct Finding: Sendable, Equatable {
    /// How much it matters.
    ///
    /// Only a failure keeps certificates from being used today.
    package enum Severity: Int, Sendable, Comparable, CaseIterable {
        case ok
        /// Worth knowing: a certificate ends within 30 days, a key is not here.
        case notice
        /// A certificate ends within 7 days.
        case warning
        /// A certificate ends within a day.
        case critical
        /// It does not work, or a key is open to others.
        case failure

        package var name: String {
            switch self {
            case .ok: "ok"
            case .notice: "notice"
            case .warning: "warning"
            case .critical: "critical"
            case .failure: "failure"
            }
        }

        package static func < (one: Severity, other: Severity) -> Bool { one.rawValue < other.rawValue }
    }

    /// What was looked at.
    package enum Subject: String, Sendable {
        /// Whether the file is there and can be read.
        case file
        case authority
        case chain
        case key
        case mode
        case expiry
        case usage
        case names
        case revocation
    }

    package let severity: Severity
    package let subject: Subject
    package let file: String
    package let text: String
    /// Whole days until the certificate ends, negative after; only with ``Subject/expiry``.
    package let daysLeft: Int64?

    init(_ severity: Severity, _ subject: Subject, _ file: String, _ text: String, daysLeft: Int64? = nil) {
        self.severity = severity
        self.subject = subject
        self.file = file
        self.text = text
        self.daysLeft = daysLeft
    }
}

extension Finding: CustomStringConvertible {
    package var description: String { "\(severity.name): \(file): \(text)" }
}

extension Finding {
    /// Says how long a certificate still holds; notice at 30 days, warning at 7, critical at 1.
    static func expiry(of certificate: Certificate, file: String, at now: Int64) -> Finding {
        let day = CalendarDay(secondsSince1970: certificate.notAfter)
        let left = certificate.notAfter.subtractingReportingOverflow(now).partialValue
        let days = left / CalendarDay.seconds
        if now < certificate.notBefore {
            let begin = CalendarDay(secondsSince1970: certificate.notBefore)
            return Finding(.failure, .expiry, file, "not valid before \(begin); is the clock right?", daysLeft: days)
        }
        guard left > 0 else { return Finding(.failure, .expiry, file, "expired on \(day)", daysLeft: min(days, -1)) }
        let severity: Severity =
            switch left {
            case ...CalendarDay.seconds: .critical
            case ...(7 * CalendarDay.seconds): .warning
            case ...(30 * CalendarDay.seconds): .notice
            default: .ok
            }
        return Finding(severity, .expiry, file, "\(certificate.subject), valid until \(day), \(days) days left", daysLeft: days)
    }

    /// Says whether a key file is closed to everyone but its owner.
    static func mode(_ mode: UInt32, of file: String) -> Finding {
        mode & 0o077 == 0
            ? Finding(.ok, .mode, file, "mode 0\(String(mode, radix: 8))")
            : Finding(.failure, .mode, file, "mode 0\(String(mode, radix: 8)) lets others read the key; chmod 600 it")
    }
}
