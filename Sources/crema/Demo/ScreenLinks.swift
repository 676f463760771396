import Documents
import Foundation
import Trust

/// The links that open the shop's screens, each with a user's name and password in its fragment, which browsers send to no server.
struct ScreenLinks {
    struct Link: Equatable {
        /// What the link is for, in words.
        var screen: String
        var url: String
    }

    private static let screens = [
        (page: "customer.html", user: "ana", screen: "Ana's phone"), (page: "customer.html", user: "ben", screen: "Ben's phone"),
        (page: "barista.html", user: "barista", screen: "barista"), (page: "display.html", user: "display", screen: "display"),
    ]

    let links: [Link]

    /// Gives each screen's user a new password, in the file that the listener names; links of before open nothing any more.
    ///
    /// Makes none for a listener without `passwords` and `pages`.
    init(site: DemoSite) throws(TrustError) {
        guard let path = site.http.passwords, site.http.pages != nil else {
            links = []
            return
        }
        var links: [Link] = []
        let file = PasswordUsersFile(path: path)
        for (page, user, screen) in Self.screens {
            let password = Self.password()
            try file.set(password: password, of: user)
            links.append(Link(screen: screen, url: site.url(site.http, "/\(page)#\(user):\(password)")))
        }
        self.links = links
    }

    /// 128 bits of the system's random numbers.
    private static func password() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
