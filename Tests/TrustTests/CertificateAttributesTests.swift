import Testing

@testable import Trust

@Suite struct CertificateAttributesTests {
    private func attributes(subject: String, names: String) async throws -> [String: String] {
        let directory = try TemporaryDirectory()
        let made = try await OpenSSLProgram.run(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8", "-subj", subject, "-addext",
            "subjectAltName=\(names)", "-set_serial", "0x1234abcd", "-keyout", "key", "-out", "certificate", in: directory)
        #expect(made.succeeded, "\(made.output)")
        let certificate = try #require(try Certificate.list(pem: directory.read("certificate")).first)
        return try CertificateAttributes(of: certificate).values
    }

    @Test func everyFieldHasItsNameAndSecondValuesTheirNumber() async throws {
        let values = try await attributes(
            subject: "/C=IT/ST=Lazio/O=Shop/OU=front/OU=kitchen/CN=grinder-7/CN=other/serialNumber=S1/title=Dr/SN=Rossi/GN=Ada/initials=A"
                + "/pseudonym=p/generationQualifier=II/dnQualifier=q",
            names: "DNS:a.example,DNS:b.example,IP:192.0.2.1,email:a@b.example,URI:urn:x")
        let subject = [
            "Country": "IT", "State": "Lazio", "Organization": "Shop", "OrganizationalUnit": "front", "OrganizationalUnit.1": "kitchen",
            "CommonName": "grinder-7", "CommonName.1": "other", "SerialNumber": "S1", "Title": "Dr", "Surname": "Rossi",
            "GivenName": "Ada", "Initials": "A", "Pseudonym": "p", "GenerationQualifier": "II", "DistinguishedNameQualifier": "q",
        ]
        var expected = [
            "SerialNumber": "1234ABCD", "AlternativeName.DNSName": "a.example", "AlternativeName.DNSName.1": "b.example",
            "AlternativeName.IPAddress": "192.0.2.1", "AlternativeName.RFC822Name": "a@b.example",
            "AlternativeName.UniformResourceIdentifier": "urn:x",
        ]
        for (name, value) in subject { (expected["Subject.\(name)"], expected["Issuer.\(name)"]) = (value, value) }
        #expect(values == expected)
    }

    @Test func valuesThatCannotBeUsedAreLeftOutAndKeepTheirPlace() async throws {
        let values = try await attributes(subject: "/OU=a\u{7}b/OU=second/OU=\u{202E}x/CN=é", names: "DNS:x")
        #expect(values["Subject.OrganizationalUnit"] == nil)
        #expect(values["Subject.OrganizationalUnit.1"] == "second")
        #expect(values["Subject.OrganizationalUnit.2"] == nil)
        #expect(values["Subject.CommonName"] == "é")
        let many = "/CN=x/" + (0..<80).map { "O=shop \($0)" }.joined(separator: "/")
        #expect(try await attributes(subject: many, names: "DNS:x").count == CertificateLimits.attributesMax)
    }
}
