import Foundation

/// One order of the coffee shop, and what happens to it, as the shop's services tell it.
struct DemoOrder: Sendable {
    /// How one event comes to Crema.
    enum Route: Sendable {
        /// `POST /order`.
        case api
        /// PutEvents, in one call with the neighbours that come the same way.
        case putEvents
        /// An MQTT publish by a device.
        case device
    }

    struct Event: Sendable {
        var type: String
        var route: Route
        /// The event's detail as JSON.
        var detail: String
    }

    static let source = "awsserverlessda.serverlesspresso"
    static let bus = "Serverlesspresso"

    let orderID = UUID().uuidString.lowercased()
    let userID = "customer"
    let eventID = "NYC"
    let shop = "nyc"
    let device = "device-1"

    var userTopic: String { "serverlesspresso-user-\(userID)" }
    var baristaTopic: String { "serverlesspresso-admin-\(eventID)" }
    var deviceTopic: String { "orders/\(shop)/\(device)" }

    /// The happy path, in its order.
    var events: [Event] {
        [
            event("OrderProcessor.OrderStarted", .api, ["drink": "Cappuccino"]),
            event("OrderProcessor.WorkflowStarted", .putEvents, ["Message": "The shop is open: submit the order."]),
            event("OrderProcessor.WaitingCompletion", .putEvents, ["Message": "The order waits for the barista.", "orderNumber": 1]),
            event("OrderManager.WaitingCompletion", .putEvents, waitingDetail),
            event("OrderManager.MakeOrder", .putEvents, ["Message": "A barista makes it.", "baristaUserId": "barista"]),
            event("OrderManager.OrderCompleted", .device, ["Message": "It is ready.", "ORDERSTATE": "COMPLETED"]),
            event("OrderProcessor.orderFinished", .putEvents, ["Message": "The order is done."]),
        ]
    }

    private var waitingDetail: [String: Any] {
        [
            "orderNumber": 1, "state": "\(eventID)-CREATED", "robot": false, "Message": "It is on the barista's screen.",
            "drinkOrder": ["userId": userID, "drink": "Cappuccino", "modifiers": ["Oat milk"], "icon": "barista-icons_cappuccino"],
        ]
    }

    private func event(_ type: String, _ route: Route, _ fields: [String: Any]) -> Event {
        let identity = ["orderId": orderID, "userId": userID, "eventId": eventID]
        return Event(type: type, route: route, detail: JSONText.of(fields.merging(identity) { field, _ in field }))
    }

    /// The request of a PutEvents call.
    static func putEventsBody(_ events: [Event]) -> String {
        JSONText.of([
            "Entries": events.map {
                ["Source": source, "DetailType": $0.type, "Detail": $0.detail, "EventBusName": bus]
            }
        ])
    }
}

/// JSON out of dictionaries.
enum JSONText {
    static func of(_ object: [String: Any]) -> String {
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? JSONSerialization.data(withJSONObject: object, options: options) else {
            preconditionFailure("only strings, numbers, Booleans, arrays and dictionaries are given to JSONText")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
