/// A user name as clients of AWS IoT send it: the name, and behind a `?` what is for the service.
///
/// AWS's SDKs put their own name and version there, and what a custom authorizer is to be asked with (AWS IoT Core's developer guide,
/// "Connecting to AWS IoT Core by using custom authentication"). Read on listeners with the AWS dialect only: elsewhere a name may have
/// a `?` in it.
struct AWSUserName: Equatable {
    let name: String
    /// The custom authorizer that is to judge the client.
    let authorizer: String?

    private static let authorizerKey = "x-amz-customauthorizer-name="

    init(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        name = String(Substring(parts[0]))
        let fields = parts.count == 2 ? parts[1].split(separator: UInt8(ascii: "&")) : []
        let field = fields.first { $0.starts(with: Self.authorizerKey.utf8) }
        authorizer = field.map { String(Substring($0.dropFirst(Self.authorizerKey.utf8.count))) }
    }
}
