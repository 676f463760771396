/// Which sessions an operator asks for, and which of them come first.
package struct ClientQuery: Sendable, Equatable {
    package enum State: String, Sendable {
        case connected
        case offline
    }

    /// All but ``id`` put the greatest first; equal ones stand in the order of their identifiers.
    package enum Order: String, Sendable, CaseIterable {
        case id
        /// By the bytes that wait.
        case queued
        case dropped
        case inFlight
        /// Those that do not keep up first, then by the bytes that wait.
        case slow
    }

    /// Part of the client identifier, the principal, the user name, or the peer's address; capital letters of ASCII count as small ones.
    package var search: String?
    package var state: State?
    package var order: Order
    /// Rows at the most.
    package var limit: Int

    package init(search: String? = nil, state: State? = nil, order: Order = .id, limit: Int = .max) {
        self.search = search
        self.state = state
        self.order = order
        self.limit = limit
    }
}

extension ClientQuery {
    /// Puts sessions of any number of shards in order, and cuts what is beyond the limit.
    package func select(_ clients: [ClientSummary]) -> [ClientSummary] {
        Array(clients.sorted(by: precedes).prefix(max(0, limit)))
    }

    private func precedes(_ one: ClientSummary, _ other: ClientSummary) -> Bool {
        let (left, right) = (rank(of: one), rank(of: other))
        return left == right ? ExactText(one.clientID) < ExactText(other.clientID) : left > right
    }

    private func rank(of client: ClientSummary) -> UInt64 {
        switch order {
        case .id: 0
        case .queued: UInt64(client.queuedBytes)
        case .dropped: client.dropped
        case .inFlight: UInt64(client.inFlight)
        case .slow: UInt64(client.queuedBytes) | (client.isSlow ? 1 << 63 : 0)
        }
    }
}

/// A part of a text that somebody searches for.
package struct SearchedText: Sendable {
    private let bytes: [UInt8]

    package init(_ text: String) { bytes = text.utf8.map(Self.small) }

    /// Whether it stands anywhere in `text`; capital letters of ASCII count as small ones.
    package func isIn(_ text: some Collection<UInt8>) -> Bool {
        guard let first = bytes.first else { return true }
        var rest = text[...]
        while let start = rest.firstIndex(where: { Self.small($0) == first }) {
            rest = rest[start...]
            if rest.count < bytes.count { return false }
            if zip(rest, bytes).allSatisfy({ Self.small($0) == $1 }) { return true }
            rest = rest.dropFirst()
        }
        return false
    }

    private static func small(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}
