/// What a client asked for and may not have: the last of each kind, for operators.
package struct Refusal: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case publish
        case subscribe
        /// A message that one of its subscriptions matched.
        case receive
    }

    package var kind: Kind
    /// The topic or the topic filter; its first 256 bytes.
    package var resource: String
    package var reason: String
    /// Refusals of the kind since the session began.
    package var count: UInt64

    package init(kind: Kind, resource: String, reason: String, count: UInt64) {
        self.kind = kind
        self.resource = resource
        self.reason = reason
        self.count = count
    }
}

/// A session's refusals: at most one of each kind, and so bounded.
struct Refusals {
    /// Of a resource that is kept: a filter may be refused for its length.
    private static let resourceBytesMax = 256

    private(set) var all: [Refusal] = []

    /// Notes one; answers whether it says something that the last of its kind did not.
    mutating func note(_ kind: Refusal.Kind, _ resource: String, _ reason: String) -> Bool {
        let resource = String(decoding: resource.utf8.prefix(Self.resourceBytesMax), as: UTF8.self)
        guard let index = all.firstIndex(where: { $0.kind == kind }) else {
            all.append(Refusal(kind: kind, resource: resource, reason: reason, count: 1))
            return true
        }
        all[index].count &+= 1
        // Names that Unicode takes for equal are different topics.
        if all[index].resource.utf8.elementsEqual(resource.utf8), all[index].reason == reason { return false }
        all[index].resource = resource
        all[index].reason = reason
        return true
    }

    /// Whether something of the kind was noted.
    func has(_ kind: Refusal.Kind) -> Bool { all.contains { $0.kind == kind } }
}
