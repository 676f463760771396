/// What a policy is attached to.
enum PolicyTarget: Equatable {
    /// By its identifier.
    case certificate(String)
    /// A group of things, by its name.
    case group(String)

    /// Reads an ARN.
    init(_ arn: String) throws(ServiceError) {
        if let group = try? ThingsService.resourceName(in: arn, "thinggroup") {
            self = .group(group)
        } else {
            self = .certificate(try ThingsService.certificateID(inARN: arn))
        }
    }

    var arn: String {
        switch self {
        case .certificate(let id): ThingsService.arn("cert", id)
        case .group(let name): ThingsService.arn("thinggroup", name)
        }
    }
}
