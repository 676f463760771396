import Testing

@testable import Documents

/// What a configuration says of certificates that count no more, and of rights.
@Suite struct RightsConfigurationTests {
    private func configuration(_ text: String) throws(DocumentError) -> Configuration {
        try Configuration(file: "etc/crema.yaml", text: text, knownLimits: [])
    }

    @Test("A listener's lists and the ACL file are found beside the configuration")
    func files() throws {
        let read = try configuration(
            """
            listeners: [{ protocol: mqtts, bind: 'h:1', certificate: c, key: k, clientCA: a, crl: ca.crl }]
            acl: rights/acl
            watchFiles: true
            """)
        #expect(read.listeners[0].crl == "etc/ca.crl")
        #expect(read.accessFile?.path == "etc/rights/acl")
        #expect(read.watchFiles)
        #expect(try !configuration("{}").watchFiles)
    }

    @Test("A group's policies are those of its members")
    func groups() throws {
        let read = try configuration(
            """
            policies:
              - { group: baristas, members: [ann, "bar-*"], attach: [Counter, Menu] }
              - { principal: bob, attach: [Menu] }
              - { anonymous: true, attach: [] }
            """)
        #expect(read.policies?.map(\.principal) == ["ann", "bar-*", "bob", nil])
        #expect(read.policies?.map { $0.policies.map(\.text) } == [["Counter", "Menu"], ["Counter", "Menu"], ["Menu"], []])
    }

    @Test(
        "Mistakes are named",
        arguments: [
            (
                "listeners: [{protocol: mqtts, bind: 'h:1', certificate: c, key: k, crl: l}]",
                "`crl` needs `clientCA`, whose certificates it revokes"
            ),
            ("listeners: [{protocol: mqtt, bind: 'h:1', crl: l}]", "1:43: `crl` has no meaning for protocol mqtt, which is not encrypted"),
            ("watchFiles: often", "1:13: watchFiles is `often`, but must be true or false"),
            ("acl: [a]", "1:6: "),
            ("policies: [{group: g, attach: []}]", "lacks `members`"),
            ("policies: [{group: g, principal: p, members: [], attach: []}]", "is for a `principal`, for a `group` with `members`, or"),
            ("policies: [{principal: p, members: [a], attach: []}]", "1:27: `members` are those of a `group`"),
            ("policies: [{attach: []}]", "is for a `principal`"),
        ])
    func mistakes(_ text: String, _ expected: String) {
        let error = #expect(throws: DocumentError.self) { try configuration(text) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }
}
