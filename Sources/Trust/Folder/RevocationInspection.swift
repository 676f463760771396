/// Looks at a file of revocation lists beside the authorities whose clients it is for.
enum RevocationInspection {
    /// - Parameters:
    ///   - file: The file.
    ///   - authorities: Those that clients' certificates must come from; each needs a list, or its clients are refused.
    ///   - now: Seconds since 1970.
    /// - Returns: What was found: each list, and what is wrong with it.
    static func findings(_ file: String, authorities: [Certificate], at now: Int64) -> [Finding] {
        let lists: [RevocationList]
        do {
            lists = try RevocationList.list(file: file)
        } catch {
            return [Finding(.failure, .file, file, error.textWithout(source: file))]
        }
        var findings = lists.map { Finding.due($0, file: file, at: now) }
        for list in lists { findings += issuerFindings(list, file, authorities) }
        for authority in authorities where authority.isAuthority && !lists.contains(where: { $0.issuer == authority.subject }) {
            findings.append(
                Finding(.failure, .revocation, file, "has no revocation list of \(authority.subject), so its clients would be refused"))
        }
        return findings
    }

    private static func issuerFindings(_ list: RevocationList, _ file: String, _ authorities: [Certificate]) -> [Finding] {
        let namesakes = authorities.filter { $0.subject == list.issuer }
        guard !namesakes.isEmpty else {
            return [
                Finding(
                    .notice, .revocation, file, "\(list.issuer) is none of the authorities; its list counts if it is an intermediate one")
            ]
        }
        do {
            for authority in namesakes where try list.isSigned(by: authority) { return [] }
            return [Finding(.failure, .revocation, file, "the list that bears the name of \(list.issuer) is not signed by it")]
        } catch {
            return [Finding(.failure, .revocation, file, error.description)]
        }
    }
}

extension Finding {
    /// Says until when a revocation list holds; warning at 7 days, critical at 1: lists are renewed more often than certificates.
    static func due(_ list: RevocationList, file: String, at now: Int64) -> Finding {
        guard let nextUpdate = list.nextUpdate else {
            return Finding(.warning, .expiry, file, "\(list): it does not say when the next one is due, so it never ends")
        }
        let left = nextUpdate.subtractingReportingOverflow(now).partialValue
        let days = left / CalendarDay.seconds
        if now < list.thisUpdate {
            let begin = CalendarDay(secondsSince1970: list.thisUpdate)
            return Finding(.failure, .expiry, file, "\(list): not valid before \(begin); is the clock right?", daysLeft: days)
        }
        guard left > 0 else {
            return Finding(
                .failure, .expiry, file, "\(list): it has ended, so every client is refused until it is renewed", daysLeft: min(days, -1))
        }
        let severity: Severity =
            switch left {
            case ...CalendarDay.seconds: .critical
            case ...(7 * CalendarDay.seconds): .warning
            default: .ok
            }
        return Finding(severity, .expiry, file, list.description, daysLeft: days)
    }
}
