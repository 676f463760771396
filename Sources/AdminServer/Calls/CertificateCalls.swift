import HTTPTypes

/// A certificate that a TLS listener uses: a row of `GET /api/v1/certificates`.
package struct CertificateDocument: Codable, Sendable, Equatable {
    package var listener: String
    /// `server` for what the listener shows, `clientAuthority` for an authority whose clients it takes.
    package var role: String
    package var subject: String
    /// Its alternative names.
    package var names: [String]
    package var issuer: String
    package var serial: String
    /// UTC, `YYYY-MM-DDTHH:MM:SSZ`.
    package var notBefore: String
    package var notAfter: String
    /// Whole days until it ends; negative when it has.
    package var daysLeft: Int

    package init(
        listener: String, role: String, subject: String, names: [String], issuer: String, serial: String, notBefore: String,
        notAfter: String, daysLeft: Int
    ) {
        (self.listener, self.role, self.subject, self.names, self.issuer) = (listener, role, subject, names, issuer)
        (self.serial, self.notBefore, self.notAfter, self.daysLeft) = (serial, notBefore, notAfter, daysLeft)
    }
}

extension AdminCall {
    /// What TLS listeners show and trust.
    static func certificates(_ limits: InspectionLimits) -> [AdminCall] {
        [
            AdminCall(
                .get, "certificates", "Lists the certificates that TLS listeners use now, and when they end.",
                answers: .document(.rows(CertificateDocument.shape))
            ) { responder, _ in
                let rows = responder.certificates()
                return InspectionResponder.json(.ok, ListDocument(rows, limit: rows.count))
            }
        ]
    }
}

extension CertificateDocument {
    static var shape: JSONShape {
        .object([
            .always("listener", .text), .always("role", .choice(["server", "clientAuthority"])), .always("subject", .text),
            .always("names", .list(.text)), .always("issuer", .text), .always("serial", .text), .always("notBefore", .text),
            .always("notAfter", .text), .always("daysLeft", .integer),
        ])
    }
}
