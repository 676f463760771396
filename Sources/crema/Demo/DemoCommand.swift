import ArgumentParser
import Documents
import Foundation

/// `crema demo`: takes one order the whole way, with the programs that people have, and shows each status as it arrives.
///
/// Starts a broker of its own, subscribes with `mosquitto_sub` over mutual TLS to the customer's and the barista's topic, lets a neighbour
/// try the same for the customer's, who is refused, posts the order with `curl`, plays its further events through PutEvents, and lets a device publish one with `mosquitto_pub`. Exit code 0: both
/// screens showed every status, in order. 1: something was missing, and was named. 2: the configuration cannot carry a demo.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Take one order the whole way, and show each status as it reaches its user and the barista.")

    @Option(help: ArgumentHelp("The configuration of the broker that the demo starts.", valueName: "file"))
    var config = "Sources/crema/Shop/crema.yaml"

    @Option(help: ArgumentHelp("Where `crema certs` put the authority and the clients.", valueName: "folder"))
    var certificates = "certs"

    @Flag(help: "Only give the users of the shop's screens new passwords, and print a link for each screen: for `make serve`.")
    var links = false

    func run() async throws {
        let site: DemoSite
        let screens: ScreenLinks
        do {
            site = try DemoSite(configurationFile: config, certificates: certificates)
            screens = try ScreenLinks(site: site)
        } catch {
            print("crema demo: \(error)")
            throw ExitCode(2)
        }
        let children = ChildProcesses()
        let interruption = DemoInterruption(children)
        let watch = InterruptionWatch([SIGINT, SIGTERM, SIGHUP]) { interruption.received($0) }
        defer {
            watch.cancel()
            children.endAll()
        }
        let printer = DemoPrinter {
            children.endAll()
            Foundation.exit(1)
        }
        if links { return printer.links(screens.links) }
        // Writing tells when the reader has gone. A handler that does nothing, which the children do not inherit, as they would SIG_IGN.
        _ = signal(SIGPIPE) { _ in }
        do {
            var play = DemoPlay(site: site, children: children, printer: printer)
            try await play.perform()
            children.endAll()
            printer.success(site: site)
        } catch {
            children.endAll()
            // That its programs have ended is no failure then.
            if let code = interruption.exitCode { throw ExitCode(code) }
            printer.failure("\(error)")
            throw ExitCode.failure
        }
    }
}
