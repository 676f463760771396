import HTTPExchange
import NIOHTTP1

/// The request that opens a WebSocket connection (RFC 6455, section 4.2.1), as far as it can be refused.
struct WebSocketRequest: Equatable {
    /// The subprotocols spoken here, the preferred one first: [MQTT-6.0.0-4] [MQTT5-6.0.0-4], and the name that AWS's browser SDK offers.
    static let subprotocols = ["mqtt", "mqttv3.1"]

    /// What a 426 names (RFC 9110, section 15.5.22, and RFC 6455, section 4.4).
    private static let spoken: HTTPHeaders = ["upgrade": "websocket", "sec-websocket-version": "13"]

    /// What the answer names.
    let subprotocol: String

    /// Whether a request asks for this protocol at all.
    static func isAsked(by head: HTTPRequestHead) -> Bool {
        head.headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
    }

    /// The path of a request's target, without the query, which may hold a signature.
    static func path(of head: HTTPRequestHead) -> Substring { head.uri.prefix { $0 != "?" } }

    /// - Throws: the answer that refuses the request.
    init(_ head: HTTPRequestHead, path: String, origins: OriginRule) throws(HTTPRefusal) {
        guard Self.path(of: head) == path else { throw HTTPRefusal(.notFound, "MQTT over WebSocket is served at \(path)") }
        guard head.method == .GET else { throw HTTPRefusal(.methodNotAllowed, "a WebSocket connection is opened by GET", ["allow": "GET"]) }
        guard head.version == .http1_1 else { throw HTTPRefusal(.badRequest, "a WebSocket connection is opened by HTTP/1.1") }
        guard Self.isAsked(by: head), head.headers[canonicalForm: "connection"].contains(where: { $0.lowercased() == "upgrade" }) else {
            throw HTTPRefusal(
                .upgradeRequired, "this is for WebSocket: the request needs 'Connection: Upgrade' and 'Upgrade: websocket'",
                Self.spoken)
        }
        guard head.headers["sec-websocket-version"] == ["13"] else {
            throw HTTPRefusal(
                .upgradeRequired, "only version 13 of WebSocket is supported", Self.spoken)
        }
        let keys = head.headers["sec-websocket-key"]
        guard keys.count == 1, keys.allSatisfy(Self.isKey) else {
            throw HTTPRefusal(.badRequest, "the request needs one Sec-WebSocket-Key, which is 16 bytes in base64")
        }
        if head.headers.contains(name: "transfer-encoding") || head.headers["content-length"].contains(where: { $0 != "0" }) {
            throw HTTPRefusal(.badRequest, "a request that opens a WebSocket connection has no body")
        }
        let given = head.headers["origin"]
        guard given.count <= 1, origins.admits(origin: given.first, authority: head.headers.first(name: "host") ?? "") else {
            let text =
                "pages of the origin '\(given.joined(separator: ", "))' may not connect here: the listener's `origins` lists those that may"
            throw HTTPRefusal(.forbidden, text)
        }
        // Left alone it would look as if somebody had judged it.
        let asks = [head.uri] + head.headers.map(\.name)
        guard !asks.contains(where: { $0.lowercased().contains(AWSUserName.servicePrefix) }) else {
            throw HTTPRefusal(.forbidden, "a custom authorizer is asked for in the user name of MQTT here, and not by a query or a header")
        }
        let offered = head.headers[canonicalForm: "sec-websocket-protocol"]
        // [MQTT-6.0.0-3] [MQTT5-6.0.0-3]
        guard let chosen = Self.subprotocols.first(where: { name in offered.contains { $0 == name } }) else {
            throw HTTPRefusal(.badRequest, "the request must offer the subprotocol mqtt (Sec-WebSocket-Protocol: mqtt)")
        }
        subprotocol = chosen
    }

    /// Whether a text is 16 bytes in base64: 22 characters, and padding.
    private static func isKey(_ text: String) -> Bool {
        let characters = Array(text.utf8)
        guard characters.count == 24 else { return false }
        return characters.suffix(2).allSatisfy { $0 == UInt8(ascii: "=") }
            && characters.prefix(22).allSatisfy { character in
                switch character {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "+"), UInt8(ascii: "/"):
                    true
                default: false
                }
            }
    }
}
