import HTTPTypes

/// Lets only those requests change something that no web page elsewhere made a browser send in its user's place.
///
/// A form cannot send JSON, and a script may send it elsewhere only after the browser has asked the listener for leave, which it does not
/// give (Fetch standard, CORS-preflight). A page's origin must be the listener's own, if the request names one.
enum ChangeGuard {
    static func check(_ request: HTTPRequest) throws(InspectionError) {
        let type = (request.headerFields[.contentType] ?? "").prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
        // A browser asks for leave before any DELETE, whatever it carries.
        guard request.method == .delete || type.lowercased() == "application/json" else { throw .notJSON }
        guard let origin = request.headerFields[.origin] else { return }
        let authority = request.authority ?? ""
        guard ["http://\(authority)", "https://\(authority)"].contains(origin) else { throw .foreignPage(origin) }
    }
}
