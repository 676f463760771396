import Foundation

/// Writes a demo's course for people: in colour on a terminal, plain otherwise and where `NO_COLOR` is set.
struct DemoPrinter: Sendable {
    private enum Colour: String {
        case bold = "1"
        case green = "32"
        case yellow = "33"
        case red = "31"
        case cyan = "36"
    }

    /// Called when nobody reads what is written any more.
    let readerHasGone: @Sendable () -> Void

    private let coloured = isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil

    func heading(_ text: String) { show(paint(text, .bold)) }

    func note(_ who: String, _ text: String) { show("  \(column(who)) \(text)") }

    func step(_ program: String, _ text: String) { show("\n  \(paint(column(program), .bold)) \(text)") }

    func status(_ screen: String, _ type: String) {
        show("  \(paint(column(screen), screen == "barista" ? .yellow : .cyan)) \(type)")
    }

    func failure(_ text: String) { show("\n\(paint("FAILED", .red)) \(text)") }

    /// Where the shop's screens are.
    func links(_ links: [ScreenLinks.Link]) {
        guard !links.isEmpty else {
            return show("The configuration's http listener has no `pages` with `passwords`: there are no screens.")
        }
        heading("The shop's screens. Each link holds a password: whoever has it is that user.")
        for link in links { note(link.screen, link.url) }
        show("")
    }

    /// The last words, and how to do the same by hand.
    func success(site: DemoSite) {
        let order = DemoOrder()
        let customer = site.mutualTLS(as: "customer").joined(separator: " ")
        let neighbour = site.mutualTLS(as: "neighbour").joined(separator: " ")
        let device = site.mutualTLS(as: order.device).joined(separator: " ")
        let detail = #"{"orderId":"1","userId":"\#(order.userID)","eventId":"\#(order.eventID)"#
        let entry =
            #"{"Source":"\#(DemoOrder.source)","EventBusName":"\#(DemoOrder.bus)","DetailType":"OrderManager.MakeOrder","#
            + #""Detail":"{\"orderId\":\"1\",\"userId\":\"\#(order.userID)\",\"eventId\":\"\#(order.eventID)\"}"}"#
        show(
            """

            \(paint("Every status reached both screens, in order.", .green)) By hand, in three terminals:

              make serve     # prints links to the shop's screens, for a browser

              mosquitto_sub \(customer) -q 1 -t \(order.userTopic)
              mosquitto_sub \(neighbour) -q 1 -t \(order.userTopic)    # refused
              .build/release/crema acl explain --config \(site.configurationFile) neighbour iot:Subscribe \(order.userTopic)

              curl \(site.url(site.http, "/order")) -H 'Content-Type: application/json' \\
                --data '{"detail":\(detail)","drink":"Cappuccino"}}'
              curl \(site.url(site.http, "/")) -H 'X-Amz-Target: AWSEvents.PutEvents' \\
                -H 'Content-Type: application/x-amz-json-1.1' --data '{"Entries":[\(entry)]}'
              mosquitto_pub \(device) -q 1 -t \(order.deviceTopic) \\
                -m '\(detail)","ORDERSTATE":"COMPLETED"}'
            """)
    }

    private func column(_ text: String) -> String { text + String(repeating: " ", count: max(0, 13 - text.count)) }

    private func paint(_ text: String, _ colour: Colour) -> String {
        coloured ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// Prints at once, also into a pipe: whoever watches a demo watches it live.
    private func show(_ text: String) {
        do { try TerminalOutput.standard.write(line: text) } catch { readerHasGone() }
    }
}
