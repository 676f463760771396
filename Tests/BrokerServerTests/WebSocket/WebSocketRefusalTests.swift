import BrokerCore
import CremaTesting
import HTTPExchange
import Logging
import NIOHTTP1
import Testing

@testable import BrokerServer

@Suite(.timeLimit(.minutes(2))) struct WebSocketRefusalTests {
    @Test(
        "A request that opens no WebSocket connection is told why",
        arguments: [
            (WebSocketBytes.request("/"), 404, "at /mqtt"),
            (WebSocketBytes.request("/mqtt/"), 404, "at /mqtt"),
            (WebSocketBytes.request("/mqtt", method: "POST"), 405, "by GET"),
            (WebSocketBytes.request("/mqtt", ["Upgrade": nil]), 426, "Upgrade: websocket"),
            (WebSocketBytes.request("/mqtt", ["Upgrade": "h2c"]), 426, "Upgrade: websocket"),
            (WebSocketBytes.request("/mqtt", ["Connection": nil]), 426, "Connection: Upgrade"),
            (WebSocketBytes.request("/mqtt", ["Connection": "keep-alive"]), 426, "Connection: Upgrade"),
            (WebSocketBytes.request("/mqtt", ["Sec-WebSocket-Version": nil]), 426, "version 13"),
            (WebSocketBytes.request("/mqtt", ["Sec-WebSocket-Version": "8"]), 426, "version 13"),
            (WebSocketBytes.request("/mqtt", ["Sec-WebSocket-Key": nil]), 400, "Sec-WebSocket-Key"),
            (WebSocketBytes.request("/mqtt", ["Sec-WebSocket-Key": ""]), 400, "Sec-WebSocket-Key"),
            (WebSocketBytes.request("/mqtt", ["Sec-WebSocket-Key": "c2hvcnQ="]), 400, "16 bytes in base64"),
            (WebSocketBytes.request("/mqtt", ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZSE="]), 400, "16 bytes in base64"),
            (WebSocketBytes.request("/mqtt", ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZ?=="]), 400, "16 bytes in base64"),
            // [MQTT-6.0.0-3] [MQTT5-6.0.0-3]
            (WebSocketBytes.request("/mqtt", ["Sec-WebSocket-Protocol": nil]), 400, "Sec-WebSocket-Protocol: mqtt"),
            (WebSocketBytes.request("/mqtt", ["Sec-WebSocket-Protocol": "chat, MQTT"]), 400, "Sec-WebSocket-Protocol: mqtt"),
            (WebSocketBytes.request("/mqtt", ["Content-Length": "3"]) + Array("abc".utf8), 400, "no body"),
            (WebSocketBytes.request("/mqtt", ["Transfer-Encoding": "chunked"]), 400, "no body"),
            (WebSocketBytes.request("/mqtt", ["Host": nil]), 400, "no Host field"),
            (WebSocketBytes.request("/mqtt", ["Origin": "https://elsewhere.example"]), 403, "https://elsewhere.example"),
            (WebSocketBytes.request("/mqtt?x-amz-customauthorizer-name=shop"), 403, "in the user name of MQTT"),
            (WebSocketBytes.request("/mqtt", ["X-Amz-CustomAuthorizer-Name": "shop"]), 403, "in the user name of MQTT"),
            (WebSocketBytes.request("/mqtt", ["Cookie": String(repeating: "a", count: 20_000)]), 400, "malformed"),
            (Array("GET /mqtt HTTP/1.0\r\nHost: x\r\n\r\n".utf8), 400, "HTTP/1.1"),
            (Packets.connect("a"), 400, "malformed"),
            ([0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3, 0x0A], 400, "malformed"),
        ])
    func refusal(request: [UInt8], status: Int, words: String) async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { client in
                try await client.send(request)
                _ = try await client.receiveAll()
                #expect(client.text.hasPrefix("HTTP/1.1 \(status) "), "\(client.text)")
                #expect(client.text.contains(words), "\(client.text)")
                #expect(client.text.lowercased().contains("\r\nconnection: close\r\n"))
            }
            let line = await site.log.next("request refused")
            #expect(line?.metadata["status"] == "\(status)")
            #expect(line?.metadata["reason"]?.contains(words) == true)
            #expect(line?.metadata["peer"]?.hasPrefix("127.0.0.1:") == true)
            #expect(await site.broker.statistics().connectionsAccepted == 0)
        }
    }

    /// And its event loop goes on: else the broker would never have ended here.
    @Test func aClientThatStaysAfterARefusalIsParted() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { client in
                try await client.send(WebSocketBytes.request("/"))
                _ = try await client.receiveAll()
                #expect(client.text.hasPrefix("HTTP/1.1 404 "))
                // What it sends is read and dropped until the connection is closed.
                while (try? await client.send([0])) != nil { try await Task.sleep(for: .milliseconds(20)) }
            }
        }
    }

    @Test func aTargetWithoutEndIsRefused() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { client in
                try await client.send(WebSocketBytes.request("/mqtt?\(String(repeating: "a", count: 20_000))"))
                _ = try await client.receiveAll()
                // Read as a whole it is too long, read in pieces it does not fit what is kept of an unread request.
                #expect(client.text.hasPrefix("HTTP/1.1 414 ") || client.text.hasPrefix("HTTP/1.1 400 "))
            }
        }
    }

    @Test(
        arguments: [
            ["Sec-WebSocket-Version": "12"], ["Sec-WebSocket-Version": nil], ["Upgrade": nil], ["Connection": nil],
        ] as [[String: String?]])
    func theAnswerNamesTheVersionThatIsSpoken(fields: [String: String?]) async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { client in
                let head = try await client.openWebSocket(WebSocketBytes.request("/mqtt", fields))
                #expect(head.hasPrefix("HTTP/1.1 426 "))
                #expect(head.lowercased().contains("\r\nsec-websocket-version: 13\r\n"))
                #expect(head.lowercased().contains("\r\nupgrade: websocket\r\n"))  // which a 426 has to name (RFC 9110, 15.5.22)
            }
        }
    }

    @Test func aListenerMayHaveAnotherPath() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket(WebSocketListener(path: "/broker")))
            try await RawClient.run(port: port) { client in
                let head = try await client.openWebSocket(WebSocketBytes.request("/broker"))
                #expect(head.hasPrefix("HTTP/1.1 101 "))
            }
            try await RawClient.run(port: port) { client in
                let head = try await client.openWebSocket()
                #expect(head.hasPrefix("HTTP/1.1 404 "))
            }
        }
    }

    @Test(
        "Threat 19: which pages may connect; one of elsewhere would use the rights of whoever looks at it",
        arguments: [
            // On loopback, pages of this machine, whatever their port, and no names from elsewhere, also where both are equal.
            (nil, "127.0.0.1", "127.0.0.1:8083", "http://localhost:3000", true),
            (nil, "127.0.0.1", "localhost", "http://127.0.0.1", true),
            (nil, "::1", "[::1]:8083", "http://[::1]:3000", true),
            (nil, "127.0.0.1", "localhost", "https://evil.example", false),
            (nil, "127.0.0.1", "evil.example", "http://evil.example", false),
            (nil, "127.0.0.1", "evil.example", "http://localhost", false),
            (nil, "127.0.0.1", "localhost", "http://localhost.evil.example", false),
            (nil, "127.0.0.1", "localhost", "null", false),
            (nil, "127.0.0.1", "localhost", "", false),
            (nil, "127.0.0.1", "evil.example", nil, true),
            // Elsewhere, pages of the address that was asked; names, which may have been given that address, have to be listed.
            (nil, "0.0.0.0", "192.0.2.7:8083", "http://192.0.2.7:3000", true),
            (nil, "::", "[2001:db8::7]:8083", "http://[2001:DB8::7]", true),
            (nil, "0.0.0.0", "192.0.2.7:8083", "http://192.0.2.8", false),
            (nil, "0.0.0.0", "shop.example:8083", "https://SHOP.example", false),
            (nil, "0.0.0.0", "shop.example", "https://shop.example.evil.example", false),
            (nil, "0.0.0.0", "shop.example", "https://evil.example", false),
            (nil, "0.0.0.0", "shop.example", "http://localhost", false),
            (nil, "0.0.0.0", "shop.example", "null", false),
            (nil, "0.0.0.0", "", "https://", false),
            // A list says it all.
            (["https://shop.example"], "127.0.0.1", "localhost", "https://shop.example", true),
            (["https://Shop.example"], "0.0.0.0", "x", "https://shop.example", true),
            (["https://shop.example"], "0.0.0.0", "shop.example", "http://shop.example", false),
            (["https://shop.example"], "0.0.0.0", "shop.example", "https://shop.example:444", false),
            (["https://shop.example"], "127.0.0.1", "localhost", "http://localhost", false),
            (["https://shop.example"], "0.0.0.0", "x", nil, true),
            ([], "0.0.0.0", "shop.example", "https://shop.example", false),
            (["*"], "0.0.0.0", "x", "https://anywhere.example", true),
            (["null"], "0.0.0.0", "x", "null", true),
        ] as [([String]?, String, String, String?, Bool)])
    func origin(allowed: [String]?, bound: String, authority: String, origin: String?, isAdmitted: Bool) throws {
        let rule = OriginRule(allowed: allowed, boundTo: bound)
        #expect(rule.admits(origin: origin, authority: authority) == isAdmitted)
        var headers: HTTPHeaders = [
            "Host": authority, "Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "mqtt",
        ]
        if let origin { headers.add(name: "Origin", value: origin) }
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/mqtt", headers: headers)
        let request = try? WebSocketRequest(head, path: "/mqtt", origins: rule)
        #expect((request != nil) == isAdmitted)
    }

    @Test func aRequestThatIsNotCompleteInTimeIsAnswered() async throws {
        var limits = BrokerLimits()
        limits.connectSecondsMax = 1
        try await TestSite.run(limits: limits) { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { client in
                try? await client.send(Array("GET /mqtt HTTP/1.1\r\nHost: x\r\n".utf8))
                _ = try await client.receiveAll()
                #expect(client.text.hasPrefix("HTTP/1.1 408 "))
            }
            #expect(await site.log.next("request refused")?.metadata["status"] == "408")
        }
    }

    @Test("What is kept of requests counts for what all strangers may have kept here, until there is an answer")
    func requestsCount() async throws {
        var limits = TestSite.patient
        limits.connectBytesInAllMax = 1_000  // 500 on each event loop
        try await TestSite.run(limits: limits) { site in
            let port = try await site.start(TestSite.webSocket())
            let request = WebSocketBytes.request("/mqtt", ["Cookie": String(repeating: "a", count: 1_200)])
            #expect((1_300..<1_500).contains(request.count))
            for _ in 0..<6 {
                try await RawClient.run(port: port) { client in
                    let head = try await client.openWebSocket(request)
                    #expect(head.hasPrefix("HTTP/1.1 101 "))
                }
            }
            try await RawClient.run(port: port) { client in
                try await client.send(Array("GET /mqtt HTTP/1.1\r\nHost: x\r\nCookie: \(String(repeating: "a", count: 1_600))".utf8))
                #expect(try await client.receiveAll() == [])
            }
            #expect(await site.broker.statistics().connectionsClosed["limit_exceeded"] == 1)
        }
    }

    @Test func theTimeForCONNECTCountsFromAccept() async throws {
        var limits = BrokerLimits()
        limits.connectSecondsMax = 1
        try await TestSite.run(limits: limits) { site in
            let port = try await site.start(TestSite.webSocket())
            // On a busy machine the time is over before the request is there: then once more.
            var frames: [WebSocketBytes.Frame]?
            while frames == nil {
                try await RawClient.run(port: port) { client in
                    try? await client.send(WebSocketBytes.request())
                    _ = try await client.receiveAll()
                    if client.text.hasPrefix("HTTP/1.1 101 ") { frames = client.frames }
                }
            }
            #expect(frames?.compactMap(\.closeCode) == [1_008])
            #expect(await site.log.next("connection closed")?.metadata["reason"] == "connect_timeout")
        }
    }

    @Test func drainEndsARequestThatIsUnderWay() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { client in
                try await client.send(Array("GET /mqtt HTTP/1.1\r\n".utf8))
                async let drained: Void = site.broker.drain(within: .seconds(60))
                _ = try await client.receiveAll()
                await drained
            }
        }
    }
}
