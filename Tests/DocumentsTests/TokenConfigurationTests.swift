import Documents
import Testing

/// `tokens`, and what listeners say of them.
@Suite struct TokenConfigurationTests {
    private static let entry = "tokens: {shop: {issuer: i, audience: a, keys: k.json, algorithms: [ES256]}}\n"

    private func configuration(_ text: String, environment: [String: String] = [:]) throws(DocumentError) -> Configuration {
        try Configuration(file: "etc/crema.yaml", text: text, environment: environment, knownLimits: [])
    }

    private func message(_ text: String) -> String {
        do throws(DocumentError) {
            _ = try configuration(text)
            return "no error"
        } catch { return error.description }
    }

    @Test func entriesAreRead() throws {
        let text = """
            tokens:
              shop: { issuer: "https://i.example", audience: [a, b], keys: keys.json, algorithms: [ES256, RS256], principal: email }
              other: { keys: "https://i.example/keys", algorithms: [EdDSA] }
              own: { secretFile: /etc/secret, algorithms: [HS256] }
            listeners:
              - { protocol: mqtt, bind: "127.0.0.1:1", tokens: [shop, own] }
              - { protocol: admin, bind: "127.0.0.1:2", tokens: [other], adminToken: secret }
            """
        let read = try configuration(text)
        let shop = try #require(read.tokens.first)
        #expect(shop.name == "shop" && shop.issuer == "https://i.example" && shop.audiences == ["a", "b"] && shop.principal == "email")
        #expect(shop.keys == .file("etc/keys.json") && shop.algorithms.map(\.name) == ["ES256", "RS256"])
        #expect(read.tokens[1].keys == .url("https://i.example/keys") && read.tokens[1].principal == "sub")
        #expect(read.tokens[2].keys == .secretFile("/etc/secret"))
        #expect(read.listeners.map { $0.tokens.map(\.text) } == [["shop", "own"], ["other"]])
        #expect(read.listeners[1].adminToken == "etc/secret")
    }

    @Test func whatCommandsReadIsNoOverride() throws {
        _ = try configuration("{}", environment: ["CREMA_ADMIN_TOKEN": "x", "CREMA_ADMIN_TOKEN_FILE": "/nowhere"])
    }

    @Test(
        "Mistakes have a place",
        arguments: [
            ("tokens: {shop: {keys: k, algorithms: []}}", "etc/crema.yaml:1:10: tokens: shop: `algorithms` must name one or more"),
            ("tokens: {shop: {keys: k}}", "etc/crema.yaml:1:16: tokens: shop lacks `algorithms`"),
            ("tokens: {shop: {algorithms: [ES256]}}", "etc/crema.yaml:1:10: tokens: shop needs either `keys`"),
            ("tokens: {shop: {keys: k, secretFile: s, algorithms: [ES256]}}", "needs either `keys`"),
            ("tokens: {shop: {keys: k, algorithm: [ES256]}}", "did you mean `algorithms`?"),
            ("tokens: {shop: {keys: k, audience: [], algorithms: [ES256]}}", "`audience` is an empty list"),
            ("tokens: {shop: {keys: 'http://i.example/k', algorithms: [ES256]}}", "Use https, or a file"),
            ("tokens: {shop: {keys: 'http://127.0.0.1.example/k', algorithms: [ES256]}}", "Use https, or a file"),
            (entry + "listeners: [{protocol: mqtt, bind: '127.0.0.1:1', tokens: [ship]}]", "etc/crema.yaml:2:60: there is no entry `ship`"),
            (entry + "listeners: [{protocol: mqtt, bind: '127.0.0.1:1', tokens: []}]", "`tokens` must name one or more entries"),
            (entry + "listeners: [{protocol: mqtt, bind: 'h:1', tokens: [shop]}]", "asks for passwords (`tokens`) without encryption"),
            (entry + "listeners: [{protocol: http, bind: 'h:1', tokens: [shop]}]", "encryption; bind to 127.0.0.1, or say"),
            ("listeners: [{protocol: admin, bind: 'h:1', adminToken: f}]", "asks for passwords (`adminToken`) without encryption"),
            ("listeners: [{protocol: http, bind: '127.0.0.1:1', adminToken: f}]", "`adminToken` is for protocol admin"),
            (
                "listeners: [{protocol: admin, bind: '127.0.0.1:1', adminToken: f, anonymous: true}]",
                "`adminToken` has no meaning with `anonymous: true`"
            ),
            (
                entry + "listeners: [{protocol: mqtts, bind: 'h:1', certificate: c, key: k, clientCA: a, requireClientCertificate: true, "
                    + "tokens: [shop]}]", "`tokens` has no meaning with requireClientCertificate"
            ),
        ])
    func mistakes(text: String, expected: String) { #expect(message(text).contains(expected), "\(message(text))") }

    @Test(
        "Tokens go over TLS, on loopback, or where the file says so",
        arguments: [
            "{protocol: mqtt, bind: '127.0.0.1:1', tokens: [shop]}", "{protocol: mqtt, bind: 'h:1', tokens: [shop], insecure: true}",
            "{protocol: mqtts, bind: 'h:1', certificate: c, key: k, tokens: [shop]}",
        ])
    func wherePasswordsAre(listener: String) { #expect(message(Self.entry + "listeners: [\(listener)]") == "no error") }
}
