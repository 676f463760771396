import Foundation
import Testing

@testable import Documents

@Suite struct ConfigurationTests {
    private func configuration(
        _ text: String, file: String = "etc/crema.yaml", environment: [String: String] = [:]
    ) throws(DocumentError) -> Configuration {
        try Configuration(file: file, text: text, environment: environment, knownLimits: ["packetBytesMax", "ruleHopsMax"])
    }

    private func message(_ text: String, environment: [String: String] = [:]) -> String {
        do {
            _ = try configuration(text, environment: environment)
            return "no error"
        } catch {
            return error.description
        }
    }

    private let full = """
        listeners:
          - { protocol: mqtt, bind: 127.0.0.1:1883, anonymous: true }
          - { protocol: mqtts, bind: '[::1]:0', certificate: certs/server.crt, key: /abs/server.key,
              clientCA: ../ca.crt, requireClientCertificate: true }
          - { protocol: admin, bind: localhost:9090 }
        resources: [shop.yaml, /abs/api.yaml]
        parameters: { CoreEventBusName: Serverlesspresso, Count: 5 }
        limits: { packetBytesMax: 1000 }
        """

    @Test func everySectionIsRead() throws {
        let read = try configuration(full)
        #expect(read.listeners.map(\.protocol) == [.mqtt, .mqtts, .admin])
        #expect(read.listeners.map(\.address) == ["127.0.0.1:1883", "[::1]:0", "localhost:9090"])
        #expect(read.listeners.map(\.anonymous) == [true, false, false])
        #expect(read.listeners[1].host == "::1")
        #expect(read.listeners[1].requireClientCertificate)
        #expect(read.parameters == ["CoreEventBusName": "Serverlesspresso", "Count": "5"])
        #expect(read.limits == ["packetBytesMax": 1000])
    }

    @Test func pathsAreRelativeToTheFile() throws {
        let read = try configuration(full)
        #expect(read.listeners[1].certificate == "etc/certs/server.crt")
        #expect(read.listeners[1].key == "/abs/server.key")
        #expect(read.listeners[1].clientCA == "etc/../ca.crt")
        #expect(read.resources.map(\.path) == ["etc/shop.yaml", "/abs/api.yaml"])
        #expect(try configuration(full, file: "crema.yaml").resources[0].path == "shop.yaml")
    }

    @Test("What outlives the process, and how", arguments: ["", "strict", "relaxed(20)"])
    func theStoreIsRead(durability: String) throws {
        let read = try configuration("data: kept\n" + (durability.isEmpty ? "" : "durability: \(durability)\n"))
        #expect(read.store?.directory == "etc/kept")
        #expect(read.store?.durability == (durability == "relaxed(20)" ? .relaxed(milliseconds: 20) : .strict))
        #expect(try configuration("durability: memory\n").store == nil)
        #expect(try configuration("limits: {}\n", environment: ["CREMA_DATA": "/kept"]).store?.directory == "/kept")
    }

    @Test func webSocketListenersAreRead() throws {
        let read = try configuration(
            """
            listeners:
              - { protocol: ws, bind: 'h:1' }
              - { protocol: wss, bind: 'h:2', certificate: c, key: k, path: /broker, origins: ['https://shop.example', 'http://h:81', 'null'] }
              - { protocol: http, bind: 'h:3', origins: ['*'] }
            """, environment: ["CREMA_LISTENERS__0__ORIGINS__0": "https://a.example"])
        #expect(read.listeners.map(\.path) == [nil, "/broker", nil])
        #expect(read.listeners.map(\.origins) == [["https://a.example"], ["https://shop.example", "http://h:81", "null"], ["*"]])
    }

    @Test func hostsAreRead() throws {
        let read = try configuration(
            "listeners: [{protocol: http, bind: 'h:1', anonymous: true, hosts: [crema, shop-1.example]}, {protocol: admin, bind: '127.0.0.1:2'}]",
            environment: ["CREMA_LISTENERS__0__HOSTS__1": "other", "CREMA_LISTENERS__1__HOSTS__0": "x"])
        #expect(read.listeners.map(\.hosts) == [["crema", "other"], ["x"]])
    }

    @Test("Threats 42 and 61: without a configuration everything is on loopback, and closed")
    func withoutAFileEverythingIsOnLoopbackAndClosed() {
        #expect(Configuration().listeners.allSatisfy { $0.host == "127.0.0.1" && !$0.anonymous })
    }

    @Test(
        "Each mistake is named with its place",
        arguments: [
            ("data: ''\n", "etc/crema.yaml:1:7: `data` must name a directory"),
            (
                "data: d\ndurability: eventual\n",
                "etc/crema.yaml:2:13: `durability` must be `strict`, `relaxed(MS)` with 1 to 60000 milliseconds, or `memory`"
            ),
            (
                "data: d\ndurability: relaxed(0)\n",
                "etc/crema.yaml:2:13: `durability` must be `strict`, `relaxed(MS)` with 1 to 60000 milliseconds, or `memory`"
            ),
            (
                "durability: strict\n",
                "etc/crema.yaml:1:1: `durability` says that sessions outlive a crash, and there is no `data`: name a directory there, or say `memory`"
            ),
            (
                "data: d\ndurability: memory\n",
                "etc/crema.yaml:1:1: `durability: memory` keeps nothing, and `data` names a directory: remove one of the two"
            ),
            ("listener: []\n", "etc/crema.yaml:1:1: the configuration has no key `listener`; did you mean `listeners`?"),
            ("listeners: []\n", "etc/crema.yaml:1:12: listeners must have at least one listener"),
            (
                "listeners: [{protocol: websocket, bind: 'h:1'}]",
                "etc/crema.yaml:1:24: there is no protocol `websocket`; known: admin, http, mqtt, mqtts, ws, wss"
            ),
            (
                "listeners: [{protocol: wss, bind: 'h:1', key: k}]",
                "etc/crema.yaml:1:13: a listener with protocol wss needs `certificate`"
            ),
            (
                "listeners: [{protocol: ws, bind: 'h:1', path: mqtt}]",
                "etc/crema.yaml:1:47: path is `mqtt`, but must begin with / and have neither query nor fragment"
            ),
            (
                "listeners: [{protocol: http, bind: 'h:1', path: /mqtt}]",
                "etc/crema.yaml:1:43: `path` is for the protocols ws and wss, not for http"
            ),
            (
                "listeners: [{protocol: mqtt, bind: 'h:1', origins: ['*']}]",
                "etc/crema.yaml:1:43: `origins` is for the protocols ws, wss and http, not for mqtt"
            ),
            (
                "listeners: [{protocol: ws, bind: 'h:1', hosts: [a]}]",
                "etc/crema.yaml:1:41: `hosts` is for the protocols http and admin, not for ws"
            ),
            (
                "listeners: [{protocol: admin, bind: 'h:1', hosts: [a]}]",
                "etc/crema.yaml:1:44: `hosts` has no meaning without `anonymous: true`: whoever proves who they are may use any name"
            ),
            (
                "listeners: [{protocol: http, bind: 'h:1', anonymous: true, hosts: ['http://a']}]",
                "etc/crema.yaml:1:68: the host is `http://a`, but must be a name as in shop.example, without a port"
            ),
            (
                "listeners: [{protocol: http, bind: 'h:1', anonymous: true, hosts: ['a:80']}]",
                "etc/crema.yaml:1:68: the host is `a:80`, but must be a name as in shop.example, without a port"
            ),
            (
                "listeners: [{protocol: ws, bind: 'h:1', origins: [shop.example]}]",
                "etc/crema.yaml:1:51: the origin is `shop.example`, but must be as in https://shop.example, or `*` for all"
            ),
            (
                "listeners: [{protocol: ws, bind: 'h:1', origins: ['https://shop.example:443']}]",
                "etc/crema.yaml:1:51: the origin is `https://shop.example:443`, but browsers leave out the scheme's own port: remove :443"
            ),
            ("listeners: [{protocol: mqqt, bind: 'h:1'}]", "etc/crema.yaml:1:24: there is no protocol `mqqt`; did you mean `mqtt`?"),
            ("listeners: [{protocol: mqtt, bnd: 'h:1'}]", "etc/crema.yaml:1:30: a listener has no key `bnd`; did you mean `bind`?"),
            ("listeners: [{protocol: mqtt}]", "etc/crema.yaml:1:13: a listener lacks `bind`"),
            ("listeners: [{bind: 'h:1'}]", "etc/crema.yaml:1:13: a listener lacks `protocol`"),
            (
                "listeners: [{protocol: mqtt, bind: '::1:1883'}]",
                "etc/crema.yaml:1:36: bind is `::1:1883`: an IPv6 address stands in brackets, as in [::1]:1883"
            ),
            ("listeners: [{protocol: mqtt, bind: 1883}]", "etc/crema.yaml:1:36: bind is `1883`, but must be host:port"),
            (
                "listeners: [{protocol: mqtt, bind: 'h:65536'}]",
                "etc/crema.yaml:1:36: bind is `h:65536`, but must be host:port with a port from 0 to 65535"
            ),
            (
                "listeners: [{protocol: mqtt, bind: ':1883'}]",
                "etc/crema.yaml:1:36: bind is `:1883`, but must be host:port with a port from 0 to 65535"
            ),
            (
                "listeners: [{protocol: mqtt, bind: 'h:+1'}]",
                "etc/crema.yaml:1:36: bind is `h:+1`, but must be host:port with a port from 0 to 65535"
            ),
            (
                "listeners: [{protocol: mqtts, bind: 'h:1', certificate: c}]",
                "etc/crema.yaml:1:13: a listener with protocol mqtts needs `key`"
            ),
            (
                "listeners: [{protocol: mqtts, bind: 'h:1', certificate: c, key: k, requireClientCertificate: true}]",
                "etc/crema.yaml:1:13: requireClientCertificate needs `clientCA`, whose certificates are to be accepted"
            ),
            (
                "listeners: [{protocol: http, bind: 'h:1', key: k}]",
                "etc/crema.yaml:1:43: `key` has no meaning for protocol http, which is not encrypted"
            ),
            (
                "listeners: [{protocol: mqtt, bind: 'h:1', anonymous: yes}]",
                "etc/crema.yaml:1:54: anonymous is `yes`, but must be true or false"
            ),
            (
                "listeners:\n- {protocol: mqtt, bind: 'h:1'}\n- {protocol: http, bind: 'h:1'}",
                "etc/crema.yaml:3:3: h:1 is taken by the listener at etc/crema.yaml:2:3"
            ),
            (
                "listeners:\n- {protocol: mqtt, bind: '127.0.0.1:1'}\n- {protocol: http, bind: '0.0.0.0:1'}",
                "etc/crema.yaml:3:3: 0.0.0.0:1 is taken by the listener at etc/crema.yaml:2:3, 127.0.0.1:1: one of the two is for every "
                    + "address"
            ),
            ("limits: {packetBytesMaxx: 1}", "etc/crema.yaml:1:10: there is no limit `packetBytesMaxx`; did you mean `packetBytesMax`?"),
            (
                "limits: {packetBytesMax: -1}",
                "etc/crema.yaml:1:26: the limit packetBytesMax is `-1`, but must be a whole number, 1 to 1099511627776"
            ),
            (
                "limits: {packetBytesMax: 0}",
                "etc/crema.yaml:1:26: the limit packetBytesMax is `0`, but must be a whole number, 1 to 1099511627776"
            ),
            (
                "listeners: [{protocol: mqtt, bind: 'h:1', scramUsers: u}]",
                "etc/crema.yaml:1:36: h:1 asks for passwords (`scramUsers`) without encryption; use protocol mqtts, bind to 127.0.0.1, "
                    + "or say `insecure: true`"
            ),
            (
                "listeners: [{protocol: ws, bind: 'h:1', scramUsers: u, passwords: p}]",
                "etc/crema.yaml:1:34: h:1 asks for passwords (`scramUsers`, `passwords`) without encryption; use protocol mqtts, "
                    + "bind to 127.0.0.1, or say `insecure: true`"
            ),
            (
                "accessKeys: [{id: AKIDEXAMPLE123456, secret: secret, principal: p}]\nlisteners: [{protocol: ws, bind: 'h:1', accessKeys: true}]",
                "etc/crema.yaml:2:34: h:1 takes signatures that can be shown again (`accessKeys`) without encryption; use protocol mqtts, "
                    + "bind to 127.0.0.1, or say `insecure: true`"
            ),
            (
                "listeners: [{protocol: http, bind: 'h:1', passwords: p}]",
                "etc/crema.yaml:1:36: h:1 asks for passwords (`passwords`) without encryption; bind to 127.0.0.1, or say `insecure: true`"
            ),
            (
                "listeners: [{protocol: admin, bind: '127.0.0.1:1', passwords: p}]",
                "etc/crema.yaml:1:52: `passwords` has no meaning for protocol admin"
            ),
            (
                "listeners: [{protocol: mqtt, bind: '127.0.0.1:1', pages: p}]",
                "etc/crema.yaml:1:51: `pages` is for protocol http"
            ),
            (
                "listeners: [{protocol: mqtts, bind: 'h:1', certificate: c, key: k, clientCA: a, requireClientCertificate: true, passwords: p}]",
                "etc/crema.yaml:1:113: `passwords` has no meaning with requireClientCertificate: every client's certificate says who it is"
            ),
            (
                "listeners: [{protocol: mqtt, bind: '127.0.0.1:1', insecure: true}]",
                "etc/crema.yaml:1:51: `insecure` has a meaning only for a listener that asks for passwords, tokens or signatures without encryption, "
                    + "and for an admin listener that is open to all"
            ),
            (
                "listeners: [{protocol: http, bind: 'h:1', limitLoopback: true}]",
                "etc/crema.yaml:1:43: `limitLoopback` has no meaning for protocol http"
            ),
            (
                "listeners: [{protocol: mqtt, bind: '127.0.0.1:1', passwords: p, authorizers: {a: {}}}]",
                "etc/crema.yaml:1:65: `authorizers` are for a listener with `dialect: aws` and with `passwords` or `tokens`, which judge what clients send to them"
            ),
            (
                "listeners: [{protocol: mqtt, bind: '127.0.0.1:1', dialect: aws, authorizers: {a: {}}}]",
                "etc/crema.yaml:1:65: `authorizers` are for a listener with `dialect: aws` and with `passwords` or `tokens`, which judge what clients send to them"
            ),
            (
                "listeners: [{protocol: mqtt, bind: '127.0.0.1:1', dialect: aws, passwords: p, authorizers: {a: {tokenKey: t}}}]",
                "etc/crema.yaml:1:107: the authorizer `a`: tokenKey needs the listener's `tokens`, which judge the token"
            ),
            (
                "listeners: [{protocol: mqtt, bind: '127.0.0.1:1', dialect: aws, passwords: p, authorizers: {a: {signingKeys: f}}}]",
                "etc/crema.yaml:1:110: the authorizer `a`: signingKeys needs tokenKey, since it is the token that is signed"
            ),
            (
                "listeners: [{protocol: mqtt, bind: '127.0.0.1:1', dialect: aws, passwords: p, authorizers: {a b: {}}}]",
                "etc/crema.yaml:1:93: the authorizer `a b`: a name has 1 to 128 letters, digits and signs of `_=,@-`"
            ),
            (
                "listeners: [{protocol: mqtt, bind: '127.0.0.1:1', dialect: aws, tokens: [t], authorizers: {a: {tokenKey: x-amz-t}}}]",
                "etc/crema.yaml:1:106: the authorizer `a`: tokenKey has 1 to 128 letters, digits and signs of `_-`, and is not the service's own"
            ),
            (
                "listeners: [{protocol: mqtt, bind: '127.0.0.1:1', dialect: aws, passwords: p, authorizers: {a: {tokenKeys: t}}}]",
                "etc/crema.yaml:1:97: the authorizer `a` has no key `tokenKeys`; did you mean `tokenKey`?"
            ),
            (
                "serverReference: other:0",
                "etc/crema.yaml:1:18: serverReference is `other:0`, but must be host:port with a port from 1 to 65535"
            ),
            ("resources: shop.yaml", "etc/crema.yaml:1:12: resources must be a list, not text"),
        ]
    )
    func mistakes(text: String, expected: String) {
        #expect(message(text) == expected)
    }

    @Test func allMistakesAreNamedAtOnce() {
        #expect(message("durability: x\nlimits: {a: 1}\nlisteners: [{protocol: no, bind: 'h:1'}, {}]\n").split(separator: "\n").count == 5)
    }

    @Test(
        "Passwords without encryption need loopback, or the word for it",
        arguments: [
            ("127.0.0.1:1", false, true), ("127.9.8.7:1", false, true), ("localhost:1", false, true), ("[::1]:1", false, true),
            ("0.0.0.0:1", false, false), ("127.0.0.1.example:1", false, false), ("[::]:1", false, false), ("0.0.0.0:1", true, true),
        ])
    func passwordsInTheOpen(bind: String, insecure: Bool, isTaken: Bool) {
        let text = "listeners: [{protocol: mqtt, bind: '\(bind)', scramUsers: u\(insecure ? ", insecure: true" : "")}]"
        #expect(((try? configuration(text)) != nil) == isTaken)
    }

    @Test func whatOnlyMQTTListenersSayIsRead() throws {
        let read = try configuration(
            "serverReference: 'other.example:8883'\nlisteners: [{protocol: mqtt, bind: 'h:1', limitLoopback: true}]")
        #expect(read.serverReference == "other.example:8883")
        #expect(read.listeners[0].limitLoopback)
        #expect(try configuration(full).listeners.allSatisfy { !$0.limitLoopback && !$0.insecure })
    }

    @Test func whereRulesMayCallIsRead() throws {
        let read = try configuration(
            "http: { allow: [127.0.0.1/32, printer.example] }\nlambda: { endpoint: 'http://localhost:9000' }",
            environment: ["CREMA_HTTP__ALLOW__2": "10.0.0.0/8", "CREMA_LAMBDA__ENDPOINT": "http://localhost:9001"])
        #expect(read.allowedHosts.map(\.text) == ["127.0.0.1/32", "printer.example", "10.0.0.0/8"])
        #expect(read.lambdaEndpoint?.text == "http://localhost:9001")
        #expect(try configuration(full).allowedHosts.isEmpty)
        #expect(message("http: { verify: false }").contains("http has no key `verify`") == true)
        #expect(message("lambda: {}").contains("lambda lacks `endpoint`") == true)
    }

    @Test func theEnvironmentBeatsTheFile() throws {
        let read = try configuration(
            full,
            environment: [
                "CREMA_LISTENERS__0__BIND": "0.0.0.0:1884",
                "CREMA_LISTENERS__1__REQUIRE_CLIENT_CERTIFICATE": "false",
                "CREMA_LISTENERS__3__PROTOCOL": "http",
                "CREMA_LISTENERS__3__BIND": "127.0.0.1:0",
                "CREMA_PARAMETERS__COREEVENTBUSNAME": "other",
                "CREMA_PARAMETERS__New": "1",
                "CREMA_LIMITS__RULEHOPSMAX": "3",
                "CREMA_RESOURCES__1": "second.yaml",
                "CREMA_ADMIN": "http://127.0.0.1:9090",
                "HOME": "/root",
            ]
        )
        #expect(read.listeners.map(\.address) == ["0.0.0.0:1884", "[::1]:0", "localhost:9090", "127.0.0.1:0"])
        #expect(!read.listeners[1].requireClientCertificate)
        #expect(read.parameters == ["CoreEventBusName": "other", "Count": "5", "New": "1"])
        #expect(read.limits == ["packetBytesMax": 1000, "ruleHopsMax": 3])
        #expect(read.resources.map(\.path) == ["etc/shop.yaml", "etc/second.yaml"])
    }

    @Test("All mistakes are told at once, also those of one listener, one list or one entry")
    func everyMistake() throws {
        let text = """
            listeners:
              - { protocol: mqtts, bind: nowhere, anonymous: maybe, slowConsumer: x, dialect: y, kee: z }
              - { protocol: admin, bind: "127.0.0.1:1", pages: a, passwords: b, path: /c, hosts: [d], crl: e }
              - { protocol: mqqt, bind: "127.0.0.1:2", tokens: [[], t, {}] }
              - { protocol: http, bind: "127.0.0.1:3", anonymous: true, hosts: ["a b", "c/d"], origins: [e, f] }
            resources: [[], a.yaml, {}]
            parameters: { A: [], B: {} }
            http: { allow: [[], b, {}] }
            accessKeys:
              - { id: [], principal: [], secret: a, secretFile: b }
              - {}
            policies:
              - { principal: a, attach: [[], {}] }
              - { group: b, attach: [c], members: [[], {}] }
            tokens:
              t: { issuer: [], algorithms: [[], {}], audience: [], keys: "ftp://x" }
              u: 5
            """
        let error = try #require(
            #expect(throws: DocumentError.self) { try Configuration(file: "c.yaml", text: text, knownLimits: SettableLimits([])) })
        let told = error.problems.map { "\($0.location.line) \($0.message)" }
        #expect(Set(told).count == told.count, "none is told twice")
        for (line, words) in [
            (2, "no key `kee`"), (2, "bind is `nowhere`"), (2, "anonymous is `maybe`"), (2, "`slowConsumer` is `x`"),
            (2, "`dialect` is `y`"), (2, "needs `certificate`"), (2, "needs `key`"),
            (3, "`pages` is for"), (3, "`passwords` has no meaning"), (3, "`path` is for"), (3, "`crl` has no meaning"),
            (4, "there is no protocol `mqqt`"), (4, "an entry of tokens must be text, not a list"),
            (4, "an entry of tokens must be text, not a mapping"),
            (5, "the host is `a b`"), (5, "the host is `c/d`"), (5, "the origin is `e`"), (5, "the origin is `f`"),
            (6, "a resource file must be text, not a list"), (6, "a resource file must be text, not a mapping"),
            (7, "the parameter A must be text"), (7, "the parameter B must be text"),
            (8, "a host must be text, not a list"), (8, "a host must be text, not a mapping"),
            (10, "id must be text"), (10, "principal must be text"), (10, "has a `secret`, or a `secretFile`"),
            (11, "lacks `id`"), (11, "lacks `principal`"), (11, "has a `secret`, or a `secretFile`"),
            (13, "a policy must be text, not a list"), (13, "a policy must be text, not a mapping"),
            (14, "a member must be text, not a list"), (14, "a member must be text, not a mapping"),
            (16, "issuer must be text"), (16, "an algorithm must be text, not a list"), (16, "an algorithm must be text, not a mapping"),
            (16, "`audience` is an empty list"), (16, "keys is `ftp://x`"), (17, "tokens: u must be a mapping"),
        ] {
            #expect(told.contains { $0.hasPrefix("\(line) ") && $0.contains(words) }, "\(line) \(words): \(told)")
        }
        #expect(told.count == 40, "\(told)")
    }

    @Test("Who is open to all may administer from this machine alone, unless it says so")
    func openAdministration() throws {
        func told(_ keys: String) throws -> String? {
            do throws(DocumentError) {
                _ = try Configuration(file: "c.yaml", text: "listeners: [{protocol: admin, \(keys)}]", knownLimits: SettableLimits([]))
                return nil
            } catch { return error.description }
        }
        for open in ["bind: '127.0.0.1:1', anonymous: true", "bind: '0.0.0.0:1', anonymous: true, insecure: true", "bind: '0.0.0.0:1'"] {
            #expect(try told(open) == nil)
        }
        #expect(try told("bind: '0.0.0.0:1', anonymous: true")?.contains("0.0.0.0:1 lets whoever reaches it administer the broker") == true)
        #expect(try told("bind: '0.0.0.0:1', insecure: true")?.contains("`insecure` has a meaning only") == true)
    }

    @Test("Variables that Kubernetes makes of services set nothing, and their like are mistakes still")
    func serviceLinks() throws {
        let links = [
            "CREMA_SERVICE_HOST", "CREMA_SERVICE_PORT", "CREMA_SERVICE_PORT_MQTTS", "CREMA_PORT", "CREMA_PORT_8883_TCP",
            "CREMA_PORT_8883_TCP_ADDR", "CREMA_SHOP_SERVICE_HOST", "CREMA_SHOP_PORT_53_UDP_PROTO",
        ]
        let none = SettableLimits([])
        let environment = Dictionary(uniqueKeysWithValues: links.map { ($0, "tcp://10.0.0.1:8883") })
        let read = try Configuration(file: nil, environment: environment, knownLimits: none)
        #expect(try read.listeners.map(\.address) == Configuration(file: nil, environment: [:], knownLimits: none).listeners.map(\.address))
        for name in ["CREMA_PORTS", "CREMA_PORT_8883", "CREMA_SERVICE", "CREMA_LISTENERS__0__PORT"] {
            #expect(throws: DocumentError.self) { try Configuration(file: nil, environment: [name: "x"], knownLimits: none) }
        }
    }

    @Test("A limit takes the values that it may have, and all others are mistakes with their lines")
    func rangesOfLimits() throws {
        let known = SettableLimits(["wide", "narrow", "waitSecondsMax"], ranges: ["narrow": 2...8])
        let text = "limits: { wide: 1099511627776, narrow: 8, waitSecondsMax: 2147483647 }"
        let read = try Configuration(file: "c.yaml", text: text, knownLimits: known)
        #expect(read.limits == ["wide": 1 << 40, "narrow": 8, "waitSecondsMax": 2_147_483_647])
        let error = #expect(throws: DocumentError.self) {
            try Configuration(file: "c.yaml", text: "limits: { waitSecondsMax: 2147483648 }", knownLimits: known)
        }
        let expected = "the limit waitSecondsMax is `2147483648`, but must be a whole number, 1 to 2147483647"
        #expect(try #require(error).description.contains(expected))
        for (narrow, wide) in [("1", "0"), ("9", "-1"), ("99999999999999999999", "many"), ("9", "1099511627777")] {
            let error = #expect(throws: DocumentError.self) {
                try Configuration(file: "c.yaml", text: "limits:\n  narrow: \(narrow)\n  wide: \(wide)\n", knownLimits: known)
            }
            let text = try #require(error).description
            #expect(text.contains("c.yaml:2:11: the limit narrow is `\(narrow)`, but must be a whole number, 2 to 8"))
            #expect(text.contains("c.yaml:3:9: the limit wide is `\(wide)`, but must be a whole number, 1 to 1099511627776"))
        }
        #expect(throws: DocumentError.self) {
            try Configuration(file: nil, environment: ["CREMA_LIMITS__NARROW": "9"], knownLimits: known)
        }
    }

    @Test(
        "A variable that sets nothing is a mistake",
        arguments: [
            ("CREMA_LISTENRS__0__BIND", "x", "there is no key `LISTENRS`; did you mean `listeners`?"),
            ("CREMA_LISTENERS__9__BIND", "x", "`9` must be an index from 0 to 3"),
            ("CREMA_LISTENERS__0__BIND", "x", "bind is `x`, but must be host:port"),
            ("CREMA_", "x", "the name must go on with a key"),
            ("CREMA_LISTENERS__0__BIND__X", "x", "there is nothing to set at `X`"),
        ]
    )
    func badVariables(name: String, value: String, expected: String) {
        #expect(message(full, environment: [name: value]) == "environment variable \(name): \(expected)")
    }

    @Test func aVariableMayNameAFileWithTheValue() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try Data(" secret\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let read = try configuration(full, environment: ["CREMA_PARAMETERS__Token_FILE": file.path])
        #expect(read.parameters["Token"] == "secret")
    }

    @Test func aConfigurationNamesItsDocuments() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func write(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
        try write("crema.yaml", "resources: [api.yaml, shop.yaml]\nparameters: {Name: shop}\n")
        try write("shop.yaml", "Resources: {Bus: {Type: 'AWS::Events::EventBus', Properties: {Name: !Ref Name}}}\n")
        try write(
            "api.yaml",
            """
            openapi: 3.0.1
            paths:
              /order:
                post:
                  x-amazon-apigateway-integration:
                    type: aws_proxy
                    integrationSubtype: EventBridge-PutEvents
                    requestParameters: {Detail: $request.body, DetailType: t, Source: s, EventBusName: {Ref: Bus}}
            """
        )
        let file = folder.appendingPathComponent("crema.yaml").path
        let read = try Configuration(file: file, environment: [:], knownLimits: [])
        let documents = try ResourceDocuments(of: read)
        #expect(documents.templates.map(\.resources.count) == [1])
        #expect(documents.apis[0].routes[0].requestParameters[.eventBusName]?.parts == [.constant("shop")])
        try write("crema.yaml", "resources: [api.yaml, shop.yaml]\nparameters: {Name: shop, Nmae: x}\n")
        let mistyped = try Configuration(file: file, environment: [:], knownLimits: [])
        let given = #expect(throws: DocumentError.self) { try ResourceDocuments(of: mistyped) }
        #expect(given?.description.hasSuffix("crema.yaml:2:26: the parameter `Nmae` is in none of the resources") == true)
        try write("crema.yaml", "resources: [api.yaml, absent.yaml]\n")
        let incomplete = try Configuration(file: file, environment: [:], knownLimits: [])
        let lack = #expect(throws: DocumentError.self) { try ResourceDocuments(of: incomplete) }
        // At the line that names the file: the file itself is nowhere.
        #expect(lack?.first.location.description.hasSuffix("crema.yaml:1:23") == true)
        #expect(lack?.first.message.hasSuffix("absent.yaml: the file cannot be read: there is no such file") == true)
        try write("shop.yaml", "just: text\n")
        let error = #expect(throws: DocumentError.self) { try ResourceDocuments(of: read) }
        #expect(error?.problems.count == 2)
    }
}
