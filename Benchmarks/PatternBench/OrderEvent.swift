import Rules

/// Events as a shop makes them.
enum OrderEvent {
    static func json(user: Int) -> [UInt8] {
        let drink = "\"drink\":\"Cappuccino\",\"icon\":\"barista-icons_cappuccino-alternative\",\"modifiers\":[\"Milk\",\"Oat\"]"
        let detail = "\"orderId\":\"1\",\"userId\":\"user-\(user)\",\"status\":\"NEW\",\"amount\":\(user * 10 + 2),\"\(0)\":{\(drink)}"
        let head =
            "\"version\":\"0\",\"id\":\"a7f0c9d2-5c6c-4f39-9a2e-3b0d9a4d1c11\",\"detail-type\":\"OrderPlaced\",\"source\":\"shop.orders\""
        let place = "\"account\":\"123456789012\",\"time\":\"2026-11-26T02:28:24Z\",\"region\":\"eu-central-1\",\"resources\":[]"
        let text = "{\(head),\(place),\"detail\":{\(detail),\"note\":\""
        let padding = String(repeating: "x", count: max(0, 468 - text.utf8.count - 3))
        return Array("\(text)\(padding)\"}}".utf8)
    }
}

/// How the rules of a case differ from one another.
struct RuleShape: Sendable {
    let name: String
    let text: @Sendable (Int) -> String

    func pattern(_ number: Int) -> EventPattern { compiled(text(number)) }

    static let all = [
        RuleShape(name: "exact") { #"{"detail":{"userId":["user-\#($0)"]}}"# },
        RuleShape(name: "exact-three-fields") {
            #"{"source":["shop.orders"],"detail-type":["OrderPlaced"],"detail":{"userId":["user-\#($0)"]}}"#
        },
        RuleShape(name: "prefix") { #"{"detail":{"userId":[{"prefix":"user-\#($0)"}]}}"# },
        RuleShape(name: "suffix") { #"{"detail":{"userId":[{"suffix":"-\#($0)"}]}}"# },
        RuleShape(name: "wildcard") { #"{"detail":{"userId":[{"wildcard":"user-\#($0)*"}]}}"# },
        RuleShape(name: "wildcard-inside") { #"{"detail":{"userId":[{"wildcard":"*er-\#($0)*"}]}}"# },
        RuleShape(name: "numeric") { #"{"detail":{"amount":[{"numeric":[">",\#($0 * 10),"<",\#($0 * 10 + 5)]}]}}"# },
        RuleShape(name: "caseless") { #"{"detail":{"userId":[{"equals-ignore-case":"USER-\#($0)"}]}}"# },
        RuleShape(name: "anything-but") {
            #"{"detail":{"userId":["user-\#($0)"],"status":[{"anything-but":["DONE","CANCELLED","x\#($0)"]}]}}"#
        },
        RuleShape(name: "absent") {
            #"{"detail":{"userId":["user-\#($0)"],"status":["NEW"],"cancelled":[{"exists":false}]}}"#
        },
        RuleShape(name: "or") { #"{"detail":{"$or":[{"userId":["user-\#($0)"]},{"orderId":["order-\#($0)"]}]}}"# },
    ]
}
